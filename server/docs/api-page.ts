import type { Route } from '../http/route.ts'
import { bodyBytesMax, settingsDefault } from '../settings.ts'
import { schemaTable } from './schema-table.ts'

/** `docs/api.md`: every address with its parameters and answer. */
export function apiPage(routes: readonly Route[]): string {
  const { perUser } = settingsDefault.rateLimits
  return `# The HTTP API

Made from the routes of \`server/\`. A running server has the same as OpenAPI at \`/openapi.json\` and as a page at \`/docs\`.

The server listens on this machine only. Addresses that are not open take the owner's token:

\`\`\`sh
curl -H "Authorization: Bearer $(npx cliptape token)" "http://127.0.0.1:4400/api/analytics/trends?type=clips&period=24h&limit=3"
\`\`\`

- Ids say their platform: \`youtube:dQw4w9WgXcQ\`. Write them URL-encoded in a path.
- A window is \`period\` (ending now) or \`from\` and \`to\` (ISO 8601 instants). Instants in answers are ISO 8601 in UTC.
- Lists with more to come carry \`nextCursor\`: send it back as \`cursor\` with the same parameters.
- A number that is not there is \`null\`, and its reason stands beside it: never a zero.
- Errors have one form and a closed list of codes: see [errors.md](errors.md). A parameter that is not known is an error that names it.
- Bodies are JSON of at most ${bodyBytesMax / 1024} KiB. At most ${perUser} requests a minute are answered per user.
- A page in a browser may call the server when its origin is in \`CORS_ORIGINS\`.

${routes.map(section).join('\n')}`
}

function section(route: Route): string {
  const parts = [
    `## ${route.method.toUpperCase()} ${route.path.replace(/:(\w+)/g, '{$1}')}`,
    `${route.summary}.${route.description === '' ? '' : ` ${route.description}`} ${route.auth === 'open' ? 'Open to everybody on this machine.' : 'Needs the token.'}`,
  ]
  if (route.params) parts.push(`In the path:\n\n${schemaTable(route.params, 'input')}`)
  if (route.query) parts.push(`Parameters:\n\n${schemaTable(route.query, 'input')}`)
  if (route.body) parts.push(`Body:\n\n${schemaTable(route.body, 'input')}`)
  const answer = route.answer.schema ? schemaTable(route.answer.schema, 'output') : `\`${route.answer.contentType}\``
  parts.push(`Answer:\n\n${answer}`)
  return `${parts.join('\n\n')}\n`
}
