import { errorTable } from '../../contracts/errors.ts'

/** `docs/errors.md`: the closed list of codes. */
export function errorsPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { status, message, retryable }]) =>
      `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${message} |`,
  )
  return `# Errors

Made from \`contracts/errors.ts\`. Codes are only ever added.

Every error over HTTP has this form, and the status of its code:

\`\`\`json
{"error":{"code":"BAD_REQUEST","message":"The parameter \\"limit\\" must be at most 500.","details":{"fields":[{"field":"limit","problem":"must be at most 500"}]},"requestId":"5f0c…"}}
\`\`\`

- \`message\` is a sentence for a person; it says what was wrong and, where that helps, what to do. Programs look at \`code\`.
- \`details\` depends on the code: \`fields\` (name and problem of each wrong parameter), \`retryAfterMs\`, \`stores\`.
- \`requestId\` is also in the header \`X-Request-Id\` and in the server's log. Send your own (letters, digits, dots, dashes, 64 at most) to find it again.
- Over the WebSocket an error is the message \`error {id?, code, message}\` with the same codes.

The sentence in the table stands where there is nothing better to say. "Again" says whether the same request can succeed a little later.

| code | status | again | sentence |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
