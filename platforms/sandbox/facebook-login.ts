import { mayRedirect } from './apps.ts'
import { letters } from './chance.ts'
import { consent, errorPage } from './consent.ts'
import { type Answer, type Ask, bearerOf, type Endpoint, listOf, ok, Refusal, redirect } from './exchange.ts'
import { ailmentOf, type Grant, type Token } from './grants.ts'
import { profileValues, render } from './graph-nodes.ts'
import { refusalFor } from './instagram-login.ts'
import { parseGraphFields } from './masks.ts'
import { refusalOf } from './refusals.ts'
import { appOf, type SandboxState } from './state.ts'
import type { Creator } from './world.ts'

const hourMs = 3_600_000
const shortMs = 2 * hourMs
const longSeconds = 5_180_000

export const facebookScopes = [
  'instagram_basic',
  'instagram_manage_insights',
  'instagram_manage_comments',
  'pages_show_list',
  'pages_read_engagement',
  'business_management',
  'public_profile',
] as const

/** A person on Facebook, with the Pages that lead to professional accounts of Instagram. */
interface FacebookUser {
  readonly id: string
  readonly name: string
  readonly pages: readonly FacebookPage[]
}

interface FacebookPage {
  readonly id: string
  readonly name: string
  /** Null: no account of Instagram is linked to it. */
  readonly creator: Creator | null
  /** Belongs to a business, and is listed only there. */
  readonly isOfBusiness: boolean
}

/** Facebook Login: the dialog, tokens, and the way to the accounts. */
export function facebookLoginEndpoints(state: SandboxState): Endpoint[] {
  const page = {
    shape: 'page',
    host: 'www.facebook.com',
    path: '/:version/dialog/oauth',
    name: 'facebook.authorize',
  } as const
  const graph = { shape: 'graph', host: 'graph.facebook.com', method: 'get' } as const
  const authorizeHere = (ask: Ask) => authorize(state, ask)
  return [
    { ...page, method: 'get', handle: authorizeHere },
    { ...page, method: 'post', handle: authorizeHere },
    {
      ...graph,
      name: 'facebook.token',
      path: '/{:version/}oauth/access_token',
      handle: ask => exchange(state, ask),
    },
    { ...graph, name: 'facebook.debugToken', path: '/{:version/}debug_token', handle: ask => inspect(state, ask) },
    { ...graph, name: 'facebook.accounts', path: '/:version/me/accounts', handle: ask => pages(state, ask) },
    { ...graph, name: 'facebook.businesses', path: '/:version/me/businesses', handle: ask => businesses(state, ask) },
    {
      ...graph,
      name: 'facebook.permissions',
      path: '/:version/me/permissions',
      handle: ask => permissions(state, ask),
    },
    {
      ...graph,
      name: 'facebook.revoke',
      method: 'delete',
      path: '/:version/:user/permissions',
      handle: ask => revoke(state, ask),
    },
  ]
}

/** The first owns two Pages, the second one of a business and one without Instagram, the third none. */
export function facebookUsers(state: SandboxState): FacebookUser[] {
  const id = (head: string, at: number) => `${head}${letters('123456789', 15 - head.length, state.seed, at, 0xfb)}`
  const page = (at: number, creatorIndex: number | null, isOfBusiness: boolean): FacebookPage => {
    const creator = creatorIndex === null ? null : state.world.creatorAt('instagram', creatorIndex)
    return {
      id: id('61', at),
      name: creator === null ? 'A Page of its own' : `Page of ${creator.handle}`,
      creator,
      isOfBusiness,
    }
  }
  return [
    { id: id('10', 1), name: 'Sam Sandbox', pages: [page(11, 0, false), page(12, 1, false)] },
    { id: id('10', 2), name: 'Billie Business', pages: [page(13, 2, true), page(14, null, false)] },
    { id: id('10', 3), name: 'Nora Nopage', pages: [] },
  ]
}

function authorize(state: SandboxState, ask: Ask): Answer {
  const { query } = ask
  const app = appOf(state, 'facebook', query.get('client_id'))
  if (app === null)
    return errorPage(400, 'Error', 'Invalid App ID: The provided app ID does not look like a valid app ID.')
  const redirectUri = query.get('redirect_uri') ?? ''
  if (!mayRedirect(app, redirectUri))
    return errorPage(
      400,
      'URL blocked',
      "This redirect failed because the redirect URI is not white-listed in the app's client OAuth settings.",
    )
  const scopes = [...new Set([...listOf(query, 'scope'), 'public_profile'])]
  const strange = scopes.filter(scope => !facebookScopes.some(one => one === scope))
  if (strange.length > 0) return errorPage(400, 'Invalid Scopes', `Invalid Scopes: ${strange.join(', ')}.`)
  const decided = consent(state, ask, {
    platformName: 'Facebook',
    app,
    accounts: facebookUsers(state).map(({ id, name, pages: own }) => ({ id, label: `${name}, ${own.length} Pages` })),
    scopes,
  })
  if ('status' in decided) return decided
  const back = new URL(redirectUri)
  const sent = query.get('state')
  if (sent !== null) back.searchParams.set('state', sent)
  if (decided.decision === 'deny') {
    back.searchParams.set('error', 'access_denied')
    back.searchParams.set('error_code', '200')
    back.searchParams.set('error_description', 'Permissions error')
    back.searchParams.set('error_reason', 'user_denied')
    return redirect(`${back.href}#_=_`)
  }
  const code = state.grants.addCode({
    value: `AQD${state.grants.secret(160)}`,
    clientId: app.clientId,
    accountId: decided.account.id,
    scopes: [...new Set([...decided.scopes, 'public_profile'])],
    redirectUri,
    challenge: null,
    isPlain: false,
    withRefresh: false,
    expiresAtMs: ask.nowMs + 10 * 60_000,
  })
  back.searchParams.set('code', code.value)
  return redirect(`${back.href}#_=_`)
}

/** One address for a code, for a longer life, and for the app's own token. */
function exchange(state: SandboxState, { query, nowMs }: Ask): Answer {
  const app = appOf(state, 'facebook', query.get('client_id'))
  // Also for the id of an Instagram app with its right secret: this address does not know those.
  if (app === null) return refusalOf('graph', '101')
  if (query.get('client_secret') !== app.clientSecret) return refusalOf('graph', '1/secret')
  if (query.get('grant_type') === 'client_credentials')
    return ok({
      access_token: `${app.clientId}|${letters('abcdefABCDEF_0123456789', 27, state.seed, 7)}`,
      token_type: 'bearer',
    })
  if (query.get('grant_type') === 'fb_exchange_token') {
    const token = state.grants.token(query.get('fb_exchange_token'))
    const refusal = refusalFor(token, nowMs)
    if (token?.grant == null || refusal !== null) return refusal ?? refusalOf('graph', '190')
    if (token.clientId !== app.clientId) return refusalOf('graph', '190')
    return ok(userToken(state, token.grant, nowMs, longSeconds * 1000))
  }
  const code = state.grants.code(query.get('code') ?? '')
  if (code === null || code.clientId !== app.clientId)
    return refusalOf('graph', '100', 'Invalid verification code format.')
  if (code.isUsed || nowMs >= code.expiresAtMs)
    return refusalOf('graph', '100', 'This authorization code has been used or has expired.')
  if (query.get('redirect_uri') !== code.redirectUri)
    return refusalOf(
      'graph',
      '100',
      'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request',
    )
  code.isUsed = true
  return ok(userToken(state, state.grants.grant(app.clientId, code.accountId, code.scopes), nowMs, shortMs))
}

function userToken(state: SandboxState, grant: Grant, nowMs: number, lifeMs: number) {
  const token = state.grants.addToken({
    value: `EAA${state.grants.secret(180)}`,
    kind: 'access',
    grant,
    clientId: grant.clientId,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + lifeMs,
  })
  return { access_token: token.value, token_type: 'bearer', expires_in: lifeMs / 1000 }
}

/** Whose token an address of Facebook's was asked with. @throws Refusal */
export function facebookCaller(state: SandboxState, ask: Ask): { token: Token; grant: Grant; user: FacebookUser } {
  const value = bearerOf(ask)
  if (value === null) throw new Refusal(refusalOf('graph', '2500'))
  const token = state.grants.token(value)
  const refusal = refusalFor(token, ask.nowMs)
  const user = facebookUsers(state).find(one => one.id === token?.grant?.accountId)
  if (token?.grant == null || refusal !== null || user === undefined)
    throw new Refusal(refusal ?? refusalOf('graph', '190'))
  return { token, grant: token.grant, user }
}

/** The Graph API's list. */
function listed(data: readonly unknown[]) {
  return { data, paging: { cursors: { before: 'QVFI', after: 'QVFIZ' } } }
}

function pages(state: SandboxState, ask: Ask): Answer {
  const { grant, user } = facebookCaller(state, ask)
  if (!grant.scopes.includes('pages_show_list')) return ok({ data: [] })
  return ok(listed(user.pages.filter(page => !page.isOfBusiness).map(page => pageNode(state, grant, page, ask))))
}

function businesses(state: SandboxState, ask: Ask): Answer {
  const { grant, user } = facebookCaller(state, ask)
  if (!grant.scopes.includes('business_management')) return refusalOf('graph', '200')
  const owned = user.pages.filter(page => page.isOfBusiness)
  if (owned.length === 0) return ok({ data: [] })
  const nodes = owned.map(page => pageNode(state, grant, page, ask))
  return ok(
    listed([
      { id: `20${user.id.slice(2)}`, name: `${user.name} Ltd`, owned_pages: listed(nodes), client_pages: { data: [] } },
    ]),
  )
}

/** The fields that are asked of Pages are always the same few: which ones is read from the text. */
function pageNode(
  state: SandboxState,
  grant: Grant,
  page: FacebookPage,
  { query, nowMs }: Ask,
): Record<string, unknown> {
  const asked = query.get('fields') ?? 'id,name,access_token'
  const inner = /instagram_business_account\{([^}]*)\}/
  const ofAccount = parseGraphFields(inner.exec(asked)?.[1] ?? 'id') ?? []
  const fields = asked.replace(inner, 'instagram_business_account')
  const { creator } = page
  const withAccount =
    creator !== null && fields.includes('instagram_business_account') && grant.scopes.includes('instagram_basic')
  return {
    id: page.id,
    ...(fields.includes('name') ? { name: page.name } : {}),
    ...(fields.includes('access_token') ? { access_token: pageToken(state, grant, nowMs).value } : {}),
    ...(withAccount
      ? {
          instagram_business_account: render(ofAccount, profileValues(state, creator, nowMs)),
        }
      : {}),
  }
}

function pageToken(state: SandboxState, grant: Grant, nowMs: number): Token {
  return (
    state.grants.tokensOf(grant, 'page')[0] ??
    state.grants.addToken({
      value: `EAAP${state.grants.secret(170)}`,
      kind: 'page',
      grant,
      clientId: grant.clientId,
      issuedAtMs: nowMs,
      expiresAtMs: null,
    })
  )
}

function permissions(state: SandboxState, ask: Ask): Answer {
  const { grant } = facebookCaller(state, ask)
  return ok({ data: grant.scopes.map(permission => ({ permission, status: 'granted' })) })
}

function inspect(state: SandboxState, { query, nowMs }: Ask): Answer {
  const [id = '', secret = ''] = (query.get('access_token') ?? '').split('|')
  const app = appOf(state, 'facebook', id)
  if (app === null || app.clientSecret !== secret) return refusalOf('graph', '190')
  const token = state.grants.token(query.get('input_token'))
  if (token === null || token.clientId !== id)
    return ok({ data: { is_valid: false, error: { code: 190, message: 'Invalid OAuth access token.' }, scopes: [] } })
  return ok({
    data: {
      app_id: id,
      type: token.kind === 'page' ? 'PAGE' : 'USER',
      is_valid: ailmentOf(token, nowMs) === null,
      expires_at: token.expiresAtMs === null ? 0 : Math.floor(token.expiresAtMs / 1000),
      issued_at: Math.floor(token.issuedAtMs / 1000),
      scopes: token.grant?.scopes ?? [],
      user_id: token.grant?.accountId,
    },
  })
}

function revoke(state: SandboxState, ask: Ask): Answer {
  const { grant, user } = facebookCaller(state, ask)
  if (ask.params.user !== 'me' && ask.params.user !== user.id) return refusalOf('graph', '100/33')
  grant.isRevoked = true
  return ok({ success: true })
}
