import { createHash } from 'node:crypto'
import { errorTable } from '../../../contracts/errors.ts'
import { credentialText } from '../../docs/credentials.ts'
import { curlExample } from '../../docs/curl-example.ts'
import { groupOf, routeGroups } from '../../docs/route-groups.ts'
import { type Field, schemaFields } from '../../docs/schema-table.ts'
import type { Route } from '../../http/route.ts'
import { errorCodesOf } from '../../openapi.ts'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;background:#14110c;color:#e8dcc4}
a{color:#ffb000}h2{border-top:1px solid #4a3f2a;padding-top:1rem}h3{margin:2rem 0 .3rem}code{color:#ffb000}
pre{background:#1f1a12;padding:.6rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:.5rem 0}th,td{text-align:left;vertical-align:top;padding:.15rem 1rem .15rem 0;border-bottom:1px solid #2a2418}
th,.quiet{color:#9a8c70;font-weight:400}nav li{line-height:1.7}summary{cursor:pointer;color:#9a8c70}`

/** Lets this page use the one style sheet in it, and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`

/** The addresses as one page without scripts, by chapters; `/openapi.json` is the whole contract. */
export function docsPage(routes: readonly Route[], version: string): string {
  const byGroup = Map.groupBy(routes, route => groupOf(route.path))
  const groups = routeGroups.flatMap(group => {
    const own = byGroup.get(group)
    return own ? [{ group, routes: own }] : []
  })
  const contents = groups.map(
    ({ group, routes }) =>
      `<li>${escaped(group.title)}: ${routes.map(route => `<a href="#${anchor(route)}"><code>${nameOf(route)}</code></a>`).join(', ')}</li>`,
  )
  const chapters = groups.map(
    ({ group, routes }) =>
      `<h2>${escaped(group.title)}</h2>\n<p>${escaped(group.text)}</p>\n${routes.map(section).join('\n')}`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Cliptape ${escaped(version)}: addresses</title><style>${style}</style>
<h1>Cliptape ${escaped(version)}</h1>
<p>The whole contract is in <a href="/openapi.json">/openapi.json</a>. Live numbers come over the WebSocket at <code>/ws</code>.</p>
<p>In the examples <code>$TOKEN</code> is an access token (<code>TOKEN=$(npx cliptape token)</code> for your own home) and
<code>$KEY</code> an API key (<code>cliptape keys create</code>). A key goes into <code>X-API-Key</code> or <code>Authorization: Bearer</code>.
A write may carry an <code>Idempotency-Key</code>: the same request with it is done once.</p>
<nav><ul>
${contents.join('\n')}
</ul></nav>
${chapters.join('\n')}
<h2>Errors</h2>
<p>Every error has the form <code>{"error":{"code","message","details","requestId"}}</code>.</p>
<table><tr><th>code<th>status<th>meaning</tr>
${Object.entries(errorTable)
  .map(([code, { status, message }]) => `<tr><td><code>${code}</code><td>${status}<td>${escaped(message)}</tr>`)
  .join('\n')}
</table></html>`
}

function section(route: Route): string {
  const parts = [
    `<h3 id="${anchor(route)}"><code>${nameOf(route)}</code></h3>`,
    `<p>${escaped(route.summary)}.${route.description === '' ? '' : ` ${marked(route.description)}`}</p>`,
    `<p class="quiet">${marked(credentialText(route, text => `\`${text}\``))}</p>`,
    `<pre>${escaped(curlExample(route))}</pre>`,
  ]
  if (route.params) parts.push(table('In the path', schemaFields(route.params, 'input')))
  if (route.query) parts.push(table('Parameters', schemaFields(route.query, 'input')))
  if (route.body) parts.push(table('Body', schemaFields(route.body, 'input')))
  const { schema, contentType } = route.answer
  if (schema) parts.push(table(`Answer, ${route.status}`, schemaFields(schema, 'output')))
  else {
    parts.push(
      `<p>Answer, ${route.status}: ${contentType === null ? 'nothing to say.' : `<code>${escaped(contentType)}</code>`}</p>`,
    )
  }
  const codes = errorCodesOf(route).map(code => `<code>${code}</code> ${errorTable[code].status}`)
  parts.push(`<details><summary>Errors</summary><p>${codes.join(', ')}</p></details>`)
  return parts.join('\n')
}

function table(title: string, fields: readonly Field[]): string {
  if (fields.length === 0) return ''
  const rows = fields.map(
    ({ name, type, note }) => `<tr><td><code>${escaped(name)}</code><td>${marked(type)}<td>${marked(note)}</tr>`,
  )
  return `<table><tr><th colspan="3">${escaped(title)}</tr>\n${rows.join('\n')}\n</table>`
}

function nameOf(route: Route): string {
  return `${route.method.toUpperCase()} ${escaped(route.path)}`
}

function anchor(route: Route): string {
  return `${route.method}${route.path.replace(/[^a-zA-Z0-9]+/g, '-')}`
}

/** Text in which backticks mark code. */
function marked(text: string): string {
  return escaped(text).replace(/`([^`]*)`/g, '<code>$1</code>')
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, found => `&#${found.charCodeAt(0)};`)
}
