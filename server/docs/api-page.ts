import type { Route } from '../http/route.ts'
import { documentedPath } from '../openapi.ts'
import { bodyBytesMax, settingsDefault } from '../settings.ts'
import { credentialText } from './credentials.ts'
import { groupOf, type RouteGroup, routeGroups } from './route-groups.ts'
import { schemaTable } from './schema-table.ts'

/** `docs/api.md`: every address with its parameters and answer. */
export function apiPage(routes: readonly Route[]): string {
  const { perUser } = settingsDefault.rateLimits
  return `# The HTTP API

Made from the routes of \`server/\`. A running server has the same as OpenAPI at \`/openapi.json\` and as a page at \`/docs\`.

A server listens on this machine alone, unless \`HOST\` says otherwise. Each address says which credentials it takes: an access token in \`Authorization: Bearer\`, an API key there or in \`X-API-Key\`.

\`\`\`sh
curl -H "Authorization: Bearer $(npx cliptape token)" "http://127.0.0.1:4400/api/analytics/trends?type=clips&period=24h&limit=3"
\`\`\`

- Ids say their platform: \`youtube:dQw4w9WgXcQ\`. Write them URL-encoded in a path.
- A window is \`period\` (ending now) or \`from\` and \`to\` (ISO 8601 instants). Instants in answers are ISO 8601 in UTC.
- Lists with more to come carry \`nextCursor\`: send it back as \`cursor\` with the same parameters.
- A number that is not there is \`null\`, and its reason stands beside it: never a zero.
- Errors have one form and a closed list of codes: see [errors.md](errors.md). A parameter that is not known is an error that names it.
- Bodies are JSON of at most ${bodyBytesMax / 1024} KiB. At most ${perUser} requests a minute are answered per user; \`RateLimit\` and \`RateLimit-Policy\` say what is left.
- A write may carry an \`Idempotency-Key\`: the same request with it is done once, for 24 hours. Answers with an \`ETag\` take \`If-None-Match\`.
- A page in a browser may call the server when its origin is in \`CORS_ORIGINS\`.

${routeGroups.flatMap(group => chapter(group, routes)).join('\n')}`
}

function chapter(group: RouteGroup, routes: readonly Route[]): string[] {
  const own = routes.filter(route => groupOf(route.path) === group)
  return own.length === 0 ? [] : [`## ${group.title}\n\n${group.text}\n`, ...own.map(section)]
}

function section(route: Route): string {
  const parts = [
    `### ${route.method.toUpperCase()} ${documentedPath(route)}`,
    `${route.summary}.${route.description === '' ? '' : ` ${route.description}`} ${credentialText(route, text => `\`${text}\``)}`,
  ]
  if (route.params) parts.push(`In the path:\n\n${schemaTable(route.params, 'input')}`)
  if (route.query) parts.push(`Parameters:\n\n${schemaTable(route.query, 'input')}`)
  if (route.body) parts.push(`Body:\n\n${schemaTable(route.body, 'input')}`)
  parts.push(answerText(route))
  return `${parts.join('\n\n')}\n`
}

function answerText({ status, answer: { schema, contentType } }: Route): string {
  if (schema) return `Answer, ${status}:\n\n${schemaTable(schema, 'output')}`
  return `Answer, ${status}: ${contentType === null ? 'nothing to say.' : `\`${contentType}\``}`
}
