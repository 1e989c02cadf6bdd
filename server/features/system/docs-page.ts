import { createHash } from 'node:crypto'
import type { Route } from '../../http/route.ts'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;background:#14110c;color:#e8dcc4}
a{color:#ffb000}h2{border-top:1px solid #4a3f2a;padding-top:1rem}code{color:#ffb000}dt{font-weight:600}.auth{color:#9a8c70}`

/** Lets this page use the one style sheet in it, and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`

/** The addresses as one page without scripts; `/openapi.json` is the whole contract. */
export function docsPage(routes: readonly Route[], version: string): string {
  const sections = routes.map(
    route => `<h2><code>${route.method.toUpperCase()} ${escaped(route.path)}</code></h2>
<p>${escaped(route.summary)}. ${escaped(route.description)}</p>
<p class="auth">${route.auth === 'open' ? 'Open.' : 'Needs <code>Authorization: Bearer &lt;token&gt;</code>.'}</p>`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Cliptape ${escaped(version)}: addresses</title><style>${style}</style>
<h1>Cliptape ${escaped(version)}</h1>
<p>The whole contract is in <a href="/openapi.json">/openapi.json</a>. Live numbers come over the WebSocket at <code>/ws</code>.
<code>cliptape token</code> prints your access token.</p>
${sections.join('\n')}</html>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, found => `&#${found.charCodeAt(0)};`)
}
