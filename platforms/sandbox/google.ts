import { createHash } from 'node:crypto'
import { mayRedirect, type SandboxApp } from './apps.ts'
import { consent, errorPage } from './consent.ts'
import { type Answer, type Ask, bearerOf, type Endpoint, ok, Refusal, redirect } from './exchange.ts'
import { ailmentOf, type Grant } from './grants.ts'
import { refusalOf } from './refusals.ts'
import { appOf, ownAccounts, type SandboxState } from './state.ts'

const codeMs = 10 * 60_000
const accessSeconds = 3599
const dayMs = 86_400_000
/** Of a grant whose consent screen is in testing. */
const testingMs = 7 * dayMs
const unusedMs = 182 * dayMs
const refreshTokensMax = 100

const prefix = 'https://www.googleapis.com/auth/'
/** What the apps of the sandbox can be allowed. */
export const googleScopes = [
  `${prefix}youtube.readonly`,
  `${prefix}youtube.force-ssl`,
  `${prefix}yt-analytics.readonly`,
  `${prefix}yt-analytics-monetary.readonly`,
] as const
const otherScopes = ['openid', 'email', 'profile', `${prefix}youtube`]

/** Google's consent page and tokens. */
export function googleEndpoints(state: SandboxState): Endpoint[] {
  const page = { shape: 'page', host: 'accounts.google.com', path: '/o/oauth2/v2/auth' } as const
  const token = { shape: 'google_oauth', host: 'oauth2.googleapis.com' } as const
  const authorizeHere = (ask: Ask) => authorize(state, ask)
  return [
    { ...page, name: 'google.authorize', method: 'get', handle: authorizeHere },
    { ...page, name: 'google.authorize', method: 'post', handle: authorizeHere },
    { ...token, name: 'google.token', method: 'post', path: '/token', handle: ask => exchange(state, ask) },
    { ...token, name: 'google.revoke', method: 'post', path: '/revoke', handle: ask => revoke(state, ask) },
    { ...token, name: 'google.tokeninfo', method: 'get', path: '/tokeninfo', handle: ask => inspect(state, ask) },
  ]
}

function authorize(state: SandboxState, ask: Ask): Answer {
  const { query } = ask
  const app = appOf(state, 'google', query.get('client_id'))
  if (app === null) return errorPage(401, 'Error 401: invalid_client', 'The OAuth client was not found.')
  if (app.isDeleted) return errorPage(401, 'Error 401: deleted_client', 'The OAuth client was deleted.')
  const redirectUri = query.get('redirect_uri') ?? ''
  if (!mayRedirect(app, redirectUri))
    return errorPage(
      400,
      'Error 400: redirect_uri_mismatch',
      `The redirect URI in the request, ${redirectUri}, does not match the ones authorized for the OAuth client.`,
    )
  if (query.get('response_type') !== 'code')
    return errorPage(400, 'Error 400: invalid_request', 'Required parameter is missing: response_type')
  const scopes = (query.get('scope') ?? '').split(' ').filter(scope => scope !== '')
  const known: readonly string[] = [...googleScopes, ...otherScopes]
  if (scopes.length === 0) return errorPage(400, 'Error 400: invalid_request', 'Missing required parameter: scope')
  if (!scopes.every(scope => known.includes(scope)))
    return errorPage(400, 'Error 400: invalid_scope', 'Some requested scopes were invalid.')
  const challenge = query.get('code_challenge')
  const method = query.get('code_challenge_method') ?? 'plain'
  if (challenge !== null && !['S256', 'plain'].includes(method))
    return errorPage(400, 'Error 400: invalid_request', 'Invalid code_challenge_method.')

  const decided = consent(state, ask, {
    platformName: 'Google',
    app,
    // Somebody who never made a channel can sign in with Google as well.
    accounts: [...ownAccounts(state, 'youtube'), { id: 'none', label: 'A Google account without a channel' }],
    scopes,
    hint: query.get('login_hint'),
    ...(app.isTesting ? { warning: 'Google has not verified this app. Access ends after 7 days.' } : {}),
  })
  if ('status' in decided) return decided
  const back = new URL(redirectUri)
  const sent = query.get('state')
  if (sent !== null) back.searchParams.set('state', sent)
  if (decided.decision === 'deny' || decided.scopes.length === 0) {
    back.searchParams.set('error', 'access_denied')
    return redirect(back.href)
  }
  const before = state.grants.grantOf(app.clientId, decided.account.id)
  const isCovered = before !== null && decided.scopes.every(scope => before.scopes.includes(scope))
  const wasShown = (query.get('prompt') ?? '').split(' ').includes('consent') || !isCovered
  const all =
    query.get('include_granted_scopes') === 'true' && before !== null
      ? [...new Set([...decided.scopes, ...before.scopes])]
      : decided.scopes
  const code = state.grants.addCode({
    value: `4/0A${state.grants.secret(70)}`,
    clientId: app.clientId,
    accountId: decided.account.id,
    scopes: all,
    redirectUri,
    challenge,
    isPlain: method === 'plain',
    withRefresh: query.get('access_type') === 'offline' && wasShown,
    expiresAtMs: ask.nowMs + codeMs,
  })
  back.searchParams.set('code', code.value)
  back.searchParams.set('scope', all.join(' '))
  back.searchParams.set('authuser', '0')
  back.searchParams.set('prompt', wasShown ? 'consent' : 'none')
  return redirect(back.href)
}

function exchange(state: SandboxState, ask: Ask): Answer {
  const { form } = ask
  const refuse = (name: string, text?: string) => refusalOf('google_oauth', name, text)
  const clientId = form.get('client_id')
  if (clientId === null) return refuse('invalid_request', 'Could not determine client ID from request.')
  const app = appOf(state, 'google', clientId)
  if (app === null) return refuse('invalid_client')
  if (app.isDeleted) return refuse('deleted_client')
  const secret = form.get('client_secret')
  if (secret === null) return refuse('invalid_request', 'client_secret is missing.')
  if (secret !== app.clientSecret) return refuse('invalid_client', 'The provided client secret is invalid.')
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return exchangeCode(state, app, ask)
    case 'refresh_token':
      return refresh(state, app, ask)
    case null:
      return refuse('invalid_request', 'Required parameter is missing: grant_type')
    default:
      return refuse('unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type')}`)
  }
}

function exchangeCode(state: SandboxState, app: SandboxApp, ask: Ask): Answer {
  const { form, nowMs } = ask
  const refuse = (name: string, text?: string) => refusalOf('google_oauth', name, text)
  const code = state.grants.code(form.get('code') ?? '')
  if (code === null || code.clientId !== app.clientId) return refuse('invalid_grant', 'Malformed auth code.')
  if (code.isUsed || nowMs >= code.expiresAtMs) return refuse('invalid_grant')
  if (form.get('redirect_uri') !== code.redirectUri) return refuse('redirect_uri_mismatch')
  if (code.challenge !== null) {
    const verifier = form.get('code_verifier')
    if (verifier === null) return refuse('invalid_grant', 'Missing code verifier.')
    const made = code.isPlain ? verifier : createHash('sha256').update(verifier).digest('base64url')
    if (made !== code.challenge) return refuse('invalid_grant', 'Invalid code verifier.')
  }
  code.isUsed = true
  const grant = state.grants.grant(app.clientId, code.accountId, code.scopes)
  if (!code.withRefresh) return ok(accessOf(state, app, grant, nowMs))
  const expiresAtMs = app.isTesting ? nowMs + testingMs : null
  const refreshToken = state.grants.addToken({
    value: `1//0${state.grants.secret(90)}`,
    kind: 'refresh',
    grant,
    clientId: app.clientId,
    issuedAtMs: nowMs,
    expiresAtMs,
  })
  const living = state.grants.tokensOf(grant, 'refresh')
  for (const old of living.slice(0, Math.max(0, living.length - refreshTokensMax))) old.isDead = true
  return ok({
    ...accessOf(state, app, grant, nowMs),
    refresh_token: refreshToken.value,
    ...(app.isTesting ? { refresh_token_expires_in: testingMs / 1000 - 1 } : {}),
  })
}

function refresh(state: SandboxState, app: SandboxApp, { form, nowMs }: Ask): Answer {
  const token = state.grants.token(form.get('refresh_token'))
  if (token === null || token.kind !== 'refresh' || token.clientId !== app.clientId || token.grant === null)
    return refusalOf('google_oauth', 'invalid_grant')
  if (ailmentOf(token, nowMs) !== null || nowMs - token.lastUsedAtMs > unusedMs)
    return refusalOf('google_oauth', 'invalid_grant', 'Token has been expired or revoked.')
  token.lastUsedAtMs = nowMs
  const left =
    token.expiresAtMs === null ? {} : { refresh_token_expires_in: Math.floor((token.expiresAtMs - nowMs) / 1000) }
  return ok({ ...accessOf(state, app, token.grant, nowMs), ...left })
}

function accessOf(state: SandboxState, app: SandboxApp, grant: Grant, nowMs: number) {
  const token = state.grants.addToken({
    value: `ya29.a0${state.grants.secret(120)}`,
    kind: 'access',
    grant,
    clientId: app.clientId,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + accessSeconds * 1000,
  })
  return {
    access_token: token.value,
    expires_in: accessSeconds,
    scope: grant.scopes.join(' '),
    token_type: 'Bearer',
  }
}

function revoke(state: SandboxState, { form, query, nowMs }: Ask): Answer {
  const token = state.grants.token(form.get('token') ?? query.get('token'))
  if (token === null || token.grant === null || ailmentOf(token, nowMs) !== null)
    return refusalOf('google_oauth', 'invalid_token')
  token.grant.isRevoked = true
  return ok({})
}

function inspect(state: SandboxState, { query, nowMs }: Ask): Answer {
  const token = state.grants.token(query.get('access_token'))
  if (token === null || token.kind !== 'access' || ailmentOf(token, nowMs) !== null)
    return refusalOf('google_oauth', 'invalid_token', 'Invalid Value')
  const expiresAtMs = token.expiresAtMs ?? nowMs
  return ok({
    azp: token.clientId,
    aud: token.clientId,
    scope: token.grant?.scopes.join(' ') ?? '',
    exp: String(Math.floor(expiresAtMs / 1000)),
    expires_in: String(Math.floor((expiresAtMs - nowMs) / 1000)),
    access_type: 'offline',
  })
}

/** Who asks an interface of Google's. */
export interface GoogleCaller {
  readonly app: SandboxApp
  /** Null of an API key. */
  readonly grant: Grant | null
}

/**
 * By token or key, of an app whose project has the interface switched on.
 * @throws Refusal
 */
export function googleCaller(state: SandboxState, ask: Ask, api: 'data' | 'analytics'): GoogleCaller {
  const bearer = bearerOf(ask)
  const key = ask.query.get('key') ?? ask.header('x-goog-api-key')
  const caller = bearer !== null ? callerByToken(state, bearer, ask.nowMs) : callerByKey(state, key)
  if (caller.app.apisOff.includes(api)) throw new Refusal(refusalOf('google', 'accessNotConfigured'))
  return caller
}

function callerByToken(state: SandboxState, value: string, nowMs: number): GoogleCaller {
  const token = state.grants.token(value)
  const app = token === null ? null : appOf(state, 'google', token.clientId)
  if (token === null || app === null || token.kind !== 'access' || ailmentOf(token, nowMs) !== null)
    throw new Refusal(refusalOf('google', 'authError'))
  return { app, grant: token.grant }
}

function callerByKey(state: SandboxState, key: string | null): GoogleCaller {
  if (key === null) throw new Refusal(refusalOf('google', 'forbidden'))
  const app = state.apps.find(one => one.family === 'google' && one.apiKeys.includes(key))
  if (app === undefined) throw new Refusal(refusalOf('google', 'keyInvalid'))
  return { app, grant: null }
}

/** @throws Refusal unless one of the scopes was granted */
export function requireScope(caller: GoogleCaller, ...scopes: readonly string[]): Grant {
  if (caller.grant === null) throw new Refusal(refusalOf('google', 'authorizationRequired'))
  if (!caller.grant.scopes.some(scope => scopes.includes(scope)))
    throw new Refusal(refusalOf('google', 'insufficientPermissions'))
  return caller.grant
}
