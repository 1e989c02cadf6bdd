import type { SandboxApp } from './apps.ts'
import type { Answer, Ask } from './exchange.ts'
import type { Account, SandboxState } from './state.ts'

/** What the user decided on a page of consent. */
export type Decision =
  | { readonly decision: 'allow'; readonly account: Account; readonly scopes: readonly string[] }
  | { readonly decision: 'deny' }

export interface ConsentRequest {
  readonly platformName: string
  readonly app: SandboxApp
  readonly accounts: readonly Account[]
  readonly scopes: readonly string[]
  /** Whom the app would like to see. */
  readonly hint?: string | null
  /** A line above the buttons. */
  readonly warning?: string
}

/**
 * The page on its first showing, or what was decided on it: by the form, or by the sandbox's settings.
 * The page is a form that works without scripts and sends to its own address, so nothing is remembered between the two.
 */
export function consent(state: SandboxState, ask: Ask, request: ConsentRequest): Decision | Answer {
  const auto = state.autoConsent[request.app.family]
  if (ask.method === 'POST') {
    if (ask.form.get('decision') !== 'allow') return { decision: 'deny' }
    const account = request.accounts.find(one => one.id === ask.form.get('account'))
    if (account === undefined) return errorPage(400, 'Choose an account', 'Go back and choose one of the accounts.')
    const chosen = ask.form.getAll('scope')
    return { decision: 'allow', account, scopes: request.scopes.filter(scope => chosen.includes(scope)) }
  }
  if (auto === undefined) return { status: 200, html: page(request) }
  if (auto.decision === 'deny') return { decision: 'deny' }
  const account =
    request.accounts.find(one => one.id === (auto.accountId ?? request.hint)) ??
    (auto.accountId === undefined ? request.accounts[0] : undefined)
  if (account === undefined)
    return errorPage(400, 'No such account', 'The sandbox was told to sign in as nobody it knows.')
  return {
    decision: 'allow',
    account,
    scopes: request.scopes.filter(scope => auto.scopes?.includes(scope) ?? true),
  }
}

/** A platform's own page for what never comes back to the app. */
export function errorPage(status: number, title: string, text: string): Answer {
  return { status, html: frame(title, `<h1>${escaped(title)}</h1><p>${escaped(text)}</p>`) }
}

function page({ platformName, app, accounts, scopes, hint, warning }: ConsentRequest): string {
  const checkedAt = Math.max(
    0,
    accounts.findIndex(one => one.id === hint),
  )
  const account = ({ id, label }: Account, at: number) =>
    `<label><input type="radio" name="account" value="${escaped(id)}"${at === checkedAt ? ' checked' : ''}> ${escaped(label)}</label>`
  const scope = (name: string) =>
    `<label><input type="checkbox" name="scope" value="${escaped(name)}" checked> ${escaped(name)}</label>`
  return frame(
    `${platformName}: allow access`,
    `<h1>${escaped(platformName)} (sandbox)</h1>
<p>The app <b>${escaped(app.clientId)}</b> asks for access.</p>
<form method="post">
<fieldset><legend>Account</legend>${accounts.map(account).join('')}</fieldset>
<fieldset><legend>Access</legend>${scopes.map(scope).join('')}</fieldset>
${warning === undefined ? '' : `<p>${escaped(warning)}</p>`}
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny">Deny</button>
</form>`,
  )
}

function frame(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width">
<style>body{font:1rem/1.5 sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}label{display:block}</style></head>
<body>${body}</body></html>
`
}

/** Text for HTML: names of creators are hostile too, so control characters go as what they are and do no harm there. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)
}
