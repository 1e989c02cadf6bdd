import { mayRedirect } from './apps.ts'
import { consent, errorPage } from './consent.ts'
import { type Answer, type Ask, bearerOf, type Endpoint, listOf, ok, redirect } from './exchange.ts'
import { ailmentOf, type Grant, type Token } from './grants.ts'
import { refusalOf } from './refusals.ts'
import { appOf, ownAccounts, type SandboxState } from './state.ts'

const hourMs = 3_600_000
/** 60 days less what the platform takes off. */
const longSeconds = 5_183_944
const refreshableAfterMs = 24 * hourMs

export const instagramScopes = [
  'instagram_business_basic',
  'instagram_business_manage_insights',
  'instagram_business_manage_comments',
] as const

/** Instagram Login: a short token at one host, made long at another, and prolonged there. */
export function instagramLoginEndpoints(state: SandboxState): Endpoint[] {
  const page = {
    shape: 'page',
    host: 'www.instagram.com',
    path: '/oauth/authorize',
    name: 'instagram.authorize',
  } as const
  const graph = { shape: 'graph', host: 'graph.instagram.com', method: 'get' } as const
  const authorizeHere = (ask: Ask) => authorize(state, ask)
  return [
    { ...page, method: 'get', handle: authorizeHere },
    { ...page, method: 'post', handle: authorizeHere },
    {
      name: 'instagram.token',
      shape: 'instagram_oauth',
      host: 'api.instagram.com',
      method: 'post',
      path: '/oauth/access_token',
      handle: ask => exchange(state, ask),
    },
    { ...graph, name: 'instagram.lengthen', path: '/access_token', handle: ask => lengthen(state, ask) },
    { ...graph, name: 'instagram.refresh', path: '/refresh_access_token', handle: ask => prolong(state, ask) },
    {
      ...graph,
      name: 'instagram.revoke',
      method: 'delete',
      path: '/{:version/}me/permissions',
      handle: ask => revoke(state, ask),
    },
  ]
}

function authorize(state: SandboxState, ask: Ask): Answer {
  const { query } = ask
  const app = appOf(state, 'instagram', query.get('client_id'))
  if (app === null) return errorPage(400, 'Invalid Request', 'Invalid platform app')
  const redirectUri = query.get('redirect_uri') ?? ''
  if (!mayRedirect(app, redirectUri)) return errorPage(400, 'Invalid Request', 'Invalid redirect_uri')
  const scopes = listOf(query, 'scope').flatMap(scope => scope.split(' '))
  if (
    !scopes.includes('instagram_business_basic') ||
    !scopes.every(scope => instagramScopes.some(one => one === scope))
  )
    return errorPage(400, 'Invalid Request', 'Invalid scopes')
  if (query.get('response_type') !== 'code') return errorPage(400, 'Invalid Request', 'Invalid response_type')
  const decided = consent(state, ask, {
    platformName: 'Instagram',
    app,
    accounts: ownAccounts(state, 'instagram'),
    scopes,
  })
  if ('status' in decided) return decided
  const back = new URL(redirectUri)
  const sent = query.get('state')
  if (decided.decision === 'deny' || decided.scopes.length === 0) {
    back.searchParams.set('error', 'access_denied')
    back.searchParams.set('error_reason', 'user_denied')
    back.searchParams.set('error_description', 'The user denied your request.')
    if (sent !== null) back.searchParams.set('state', sent)
    return redirect(back.href)
  }
  const code = state.grants.addCode({
    value: `AQ${state.grants.secret(140)}`,
    clientId: app.clientId,
    accountId: decided.account.id,
    scopes: decided.scopes,
    redirectUri,
    challenge: null,
    isPlain: false,
    withRefresh: false,
    expiresAtMs: ask.nowMs + hourMs,
  })
  back.searchParams.set('code', code.value)
  if (sent !== null) back.searchParams.set('state', sent)
  // Nobody asked for this fragment: it is always there.
  return redirect(`${back.href}#_`)
}

function exchange(state: SandboxState, { form, nowMs }: Ask): Answer {
  const refuse = (name: string) => refusalOf('instagram_oauth', name)
  const app = appOf(state, 'instagram', form.get('client_id'))
  if (app === null) return refuse('invalid_app')
  if (form.get('client_secret') !== app.clientSecret) return refuse('invalid_secret')
  if (form.get('grant_type') !== 'authorization_code') return refuse('invalid_request')
  const code = state.grants.code(form.get('code') ?? '')
  if (code === null || code.clientId !== app.clientId) return refuse('unknown_code')
  if (code.isUsed || nowMs >= code.expiresAtMs) return refuse('used_code')
  if (form.get('redirect_uri') !== code.redirectUri) return refuse('redirect_mismatch')
  code.isUsed = true
  const grant = state.grants.grant(app.clientId, code.accountId, code.scopes)
  const token = tokenOf(state, grant, 'short', nowMs, hourMs)
  const userId = state.world.creatorById('instagram', code.accountId)?.otherId ?? code.accountId
  return { status: 200, text: firstReply(state, { token, userId, scopes: code.scopes }) }
}

/** The forms in which the first token has been seen; without a list, the id is a number above 2^53. */
function firstReply(
  { quirks }: SandboxState,
  { token, userId, scopes }: { token: Token; userId: string; scopes: readonly string[] },
): string {
  const access = JSON.stringify(token.value)
  const text = JSON.stringify(scopes.join(','))
  switch (quirks.instagramTokenShape) {
    case 'wrapped':
      return `{"data":[{"access_token":${access},"user_id":"${userId}","permissions":${text}}]}`
    case 'flat':
      return `{"access_token":${access},"user_id":${userId},"permissions":${text}}`
    case 'flat_list':
      return `{"access_token":${access},"user_id":${userId},"permissions":${JSON.stringify(scopes)}}`
  }
}

function lengthen(state: SandboxState, ask: Ask): Answer {
  const { query, nowMs } = ask
  if (query.get('grant_type') !== 'ig_exchange_token') return refusalOf('graph', '100', 'Unsupported grant_type')
  const secret = query.get('client_secret')
  const app = state.apps.find(one => one.family === 'instagram' && one.clientSecret === secret)
  if (app === undefined) return refusalOf('graph', '1/secret')
  const token = state.grants.token(bearerOf(ask))
  const refusal = refusalFor(token, nowMs)
  if (token?.grant == null || refusal !== null) return refusal ?? refusalOf('graph', '190')
  if (token.kind !== 'short' || token.clientId !== app.clientId) return refusalOf('graph', '190')
  return ok(longOf(state, token.grant, nowMs))
}

function prolong(state: SandboxState, ask: Ask): Answer {
  const { query, nowMs } = ask
  if (query.get('grant_type') !== 'ig_refresh_token') return refusalOf('graph', '100', 'Unsupported grant_type')
  const token = state.grants.token(bearerOf(ask))
  const refusal = refusalFor(token, nowMs)
  if (token?.grant == null || refusal !== null) return refusal ?? refusalOf('graph', '190')
  if (token.kind !== 'long') return refusalOf('graph', '190')
  if (nowMs - token.issuedAtMs < refreshableAfterMs)
    return refusalOf('graph', '100', 'The access token cannot be refreshed: it is less than 24 hours old.')
  if (!token.grant.scopes.includes('instagram_business_basic')) return refusalOf('graph', '10')
  return ok({ ...longOf(state, token.grant, nowMs), permissions: token.grant.scopes.join(',') })
}

function longOf(state: SandboxState, grant: Grant, nowMs: number) {
  const token = tokenOf(state, grant, 'long', nowMs, longSeconds * 1000)
  return { access_token: token.value, token_type: 'bearer', expires_in: longSeconds }
}

function tokenOf(state: SandboxState, grant: Grant, kind: 'short' | 'long', nowMs: number, lifeMs: number): Token {
  return state.grants.addToken({
    value: `IGAA${state.grants.secret(150)}`,
    kind,
    grant,
    clientId: grant.clientId,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + lifeMs,
  })
}

function revoke(state: SandboxState, ask: Ask): Answer {
  const token = state.grants.token(bearerOf(ask))
  const refusal = refusalFor(token, ask.nowMs)
  if (token?.grant == null || refusal !== null) return refusal ?? refusalOf('graph', '190')
  token.grant.isRevoked = true
  return ok({ success: true })
}

/** What the Graph API says of a token that is no good; null when it is. */
export function refusalFor(token: Token | null, nowMs: number): Answer | null {
  if (token === null) return refusalOf('graph', '190')
  switch (ailmentOf(token, nowMs)) {
    case null:
      return null
    case 'revoked':
      return refusalOf('graph', '190/458')
    case 'expired':
      return refusalOf('graph', '190/463')
    case 'dead':
      return refusalOf('graph', '190/467')
  }
}
