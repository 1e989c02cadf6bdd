import { createHash } from 'node:crypto'
import { mayRedirect, type SandboxApp } from './apps.ts'
import { consent, errorPage } from './consent.ts'
import { type Answer, type Ask, bearerOf, type Endpoint, listOf, ok, Refusal, redirect } from './exchange.ts'
import { ailmentOf, type Grant } from './grants.ts'
import { refusalOf } from './refusals.ts'
import { appOf, ownAccounts, type SandboxState } from './state.ts'
import type { Creator, Post } from './world.ts'

const codeMs = 10 * 60_000
const accessSeconds = 7200
const refreshSeconds = 15_552_000
const minuteMs = 60_000

export const tiktokScopes = ['user.info.basic', 'user.info.profile', 'user.info.stats', 'video.list'] as const

/** TikTok's Login Kit and Display API. Slashes at the end matter. */
export function tiktokEndpoints(state: SandboxState): Endpoint[] {
  const page = { shape: 'page', host: 'www.tiktok.com', path: '/v2/auth/authorize/', name: 'tiktok.authorize' } as const
  const api = { host: 'open.tiktokapis.com' } as const
  const oauth = { ...api, shape: 'tiktok_oauth', method: 'post' } as const
  const data = (name: string, method: 'get' | 'post', path: string, handle: (ask: Ask) => Answer): Endpoint => ({
    ...api,
    shape: 'tiktok',
    name: `tiktok.${name}`,
    method,
    path,
    admit: ask => admit(state, ask, name),
    handle,
  })
  const authorizeHere = (ask: Ask) => authorize(state, ask)
  return [
    { ...page, method: 'get', handle: authorizeHere },
    { ...page, method: 'post', handle: authorizeHere },
    { ...oauth, name: 'tiktok.token', path: '/v2/oauth/token/', handle: ask => withStatus(state, token(state, ask)) },
    {
      ...oauth,
      name: 'tiktok.revoke',
      path: '/v2/oauth/revoke/',
      handle: ask => withStatus(state, revoke(state, ask)),
    },
    data('user.info', 'get', '/v2/user/info/', ask => userInfo(state, ask)),
    data('video.list', 'post', '/v2/video/list/', ask => videoList(state, ask)),
    data('video.query', 'post', '/v2/video/query/', ask => videoQuery(state, ask)),
  ]
}

/** OAuth errors come with this status or that: only the body tells. */
function withStatus(state: SandboxState, answer: Answer): Answer {
  return answer.status === 400 ? { ...answer, status: state.quirks.tiktokOauthStatus } : answer
}

function authorize(state: SandboxState, ask: Ask): Answer {
  const { query } = ask
  const app = appOf(state, 'tiktok', query.get('client_key'))
  if (app === null || app.isDeleted) return errorPage(400, 'Something went wrong', 'client_key')
  const redirectUri = query.get('redirect_uri') ?? ''
  if (!mayRedirect(app, redirectUri) || /[?#]/.test(redirectUri) || redirectUri.length >= 512)
    return errorPage(400, 'Something went wrong', 'redirect_uri')
  const scopes = listOf(query, 'scope')
  const known = app.scopes ?? tiktokScopes
  if (scopes.length === 0 || !scopes.every(scope => known.some(one => one === scope)))
    return errorPage(400, 'Something went wrong', 'scope')
  if (query.get('response_type') !== 'code') return errorPage(400, 'Something went wrong', 'response_type')
  const challenge = query.get('code_challenge')
  if (app.type === 'desktop' && (challenge === null || query.get('code_challenge_method') !== 'S256'))
    return errorPage(400, 'Something went wrong', 'code_challenge')

  const decided = consent(state, ask, {
    platformName: 'TikTok',
    app,
    accounts: ownAccounts(state, 'tiktok'),
    scopes,
  })
  if ('status' in decided) return decided
  const back = new URL(redirectUri)
  const sent = query.get('state')
  if (decided.decision === 'deny' || decided.scopes.length === 0) {
    back.searchParams.set('error', 'access_denied')
    back.searchParams.set('error_description', 'User cancelled the authorization')
    if (sent !== null) back.searchParams.set('state', sent)
    return redirect(back.href)
  }
  if (app.targetUsers?.includes(decided.account.id) === false)
    return errorPage(400, 'Something went wrong', 'non_sandbox_target')
  const code = state.grants.addCode({
    value: `${state.grants.secret(48)}*v!4567.va`,
    clientId: app.clientId,
    accountId: decided.account.id,
    scopes: decided.scopes,
    redirectUri,
    // Web clients have a secret, and what they send of PKCE is ignored.
    challenge: app.type === 'desktop' ? challenge : null,
    isPlain: false,
    withRefresh: true,
    expiresAtMs: ask.nowMs + codeMs,
  })
  back.searchParams.set('code', code.value)
  back.searchParams.set('scopes', decided.scopes.join(','))
  if (sent !== null) back.searchParams.set('state', sent)
  return redirect(back.href)
}

function token(state: SandboxState, ask: Ask): Answer {
  const { form } = ask
  if (ask.contentType !== 'application/x-www-form-urlencoded')
    return refuse('invalid_request', 'Only `application/x-www-form-urlencoded` is accepted as Content-Type.')
  const app = appOf(state, 'tiktok', form.get('client_key'))
  if (app === null || app.isDeleted || form.get('client_secret') !== app.clientSecret) return refuse('invalid_client')
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return exchangeCode(state, app, ask)
    case 'refresh_token':
      return refresh(state, app, ask)
    case 'client_credentials': {
      const made = state.grants.addToken({
        value: `clt.2.${state.grants.secret(60)}`,
        kind: 'client',
        grant: null,
        clientId: app.clientId,
        issuedAtMs: ask.nowMs,
        expiresAtMs: ask.nowMs + accessSeconds * 1000,
      })
      return ok({ access_token: made.value, expires_in: accessSeconds, token_type: 'Bearer' })
    }
    default:
      return refuse('unsupported_grant_type')
  }
}

function refuse(name: string, text?: string): Answer {
  return refusalOf('tiktok_oauth', name, text)
}

function exchangeCode(state: SandboxState, app: SandboxApp, { form, nowMs }: Ask): Answer {
  const code = state.grants.code(form.get('code') ?? '')
  if (code === null || code.clientId !== app.clientId || code.isUsed || nowMs >= code.expiresAtMs)
    return refuse('invalid_grant')
  if (form.get('redirect_uri') !== code.redirectUri)
    return refuse('invalid_request', 'Redirect_uri is not matched with the uri when requesting code.')
  if (code.challenge !== null) {
    // Hexadecimal, where everybody else has base64url.
    const made = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('hex')
    if (made !== code.challenge) return refuse('invalid_request', 'Code verifier or code challenge is invalid.')
  }
  code.isUsed = true
  return tokensOf(state, app, state.grants.grant(app.clientId, code.accountId, code.scopes), nowMs)
}

function refresh(state: SandboxState, app: SandboxApp, { form, nowMs }: Ask): Answer {
  const sent = state.grants.token(form.get('refresh_token'))
  const isGood = sent?.kind === 'refresh' && sent.clientId === app.clientId && ailmentOf(sent, nowMs) === null
  if (!isGood || sent.grant === null) return refuse('invalid_grant', 'Refresh token is invalid or expired.')
  // The one that was sent is dead from here on, whether or not the answer arrives.
  sent.isDead = true
  return tokensOf(state, app, sent.grant, nowMs)
}

function tokensOf(state: SandboxState, app: SandboxApp, grant: Grant, nowMs: number): Answer {
  const made = (kind: 'access' | 'refresh', head: string, seconds: number) =>
    state.grants.addToken({
      value: `${head}.${state.grants.secret(64)}!4567.va`,
      kind,
      grant,
      clientId: app.clientId,
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + seconds * 1000,
    })
  return ok({
    access_token: made('access', 'act', accessSeconds).value,
    expires_in: accessSeconds,
    open_id: grant.accountId,
    refresh_expires_in: refreshSeconds,
    refresh_token: made('refresh', 'rft', refreshSeconds).value,
    scope: grant.scopes.join(','),
    token_type: 'Bearer',
  })
}

function revoke(state: SandboxState, { form, contentType }: Ask): Answer {
  if (contentType !== 'application/x-www-form-urlencoded') return refuse('invalid_request')
  const app = appOf(state, 'tiktok', form.get('client_key'))
  if (app === null || form.get('client_secret') !== app.clientSecret) return refuse('invalid_client')
  const sent = state.grants.token(form.get('token'))
  if (sent?.grant == null || sent.clientId !== app.clientId) return refuse('invalid_request')
  sent.grant.isRevoked = true
  return { status: 200, text: '' }
}

/** Whose data is asked for. @throws Refusal */
function callerOf(state: SandboxState, ask: Ask): { grant: Grant; creator: Creator; clientId: string } {
  const sent = state.grants.token(bearerOf(ask))
  const creator = sent?.grant ? state.world.creatorById('tiktok', sent.grant.accountId) : null
  const isGood = sent?.kind === 'access' && sent.grant !== null && ailmentOf(sent, ask.nowMs) === null
  if (!isGood || sent.grant === null || creator === null || state.world.isGone(creator, ask.nowMs))
    throw refusedData(state, 'access_token_invalid')
  return { grant: sent.grant, creator, clientId: sent.clientId }
}

function refusedData(state: SandboxState, name: string, message?: string): Refusal {
  const answer = refusalOf('tiktok', name, message)
  return new Refusal(state.quirks.tiktokErrorsWith200 ? { ...answer, status: 200 } : answer)
}

/** So many calls a minute of one endpoint and one client. */
function admit(state: SandboxState, ask: Ask, name: string): void {
  const { clientId } = callerOf(state, ask)
  const { calls } = state.quotas.slide(`${clientId} tiktok:${name}`, minuteMs, ask.nowMs)
  if (calls > state.limits.tiktokPerMinute) throw refusedData(state, 'rate_limit_exceeded')
}

const fine = { code: 'ok', message: '', log_id: '20261101000000ABCDEF0123456789' }

const userFields: Readonly<Record<string, string>> = {
  open_id: 'user.info.basic',
  union_id: 'user.info.basic',
  avatar_url: 'user.info.basic',
  avatar_url_100: 'user.info.basic',
  avatar_large_url: 'user.info.basic',
  display_name: 'user.info.basic',
  bio_description: 'user.info.profile',
  profile_deep_link: 'user.info.profile',
  is_verified: 'user.info.profile',
  username: 'user.info.profile',
  follower_count: 'user.info.stats',
  following_count: 'user.info.stats',
  likes_count: 'user.info.stats',
  video_count: 'user.info.stats',
}
const videoFields: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...[
      'id',
      'create_time',
      'cover_image_url',
      'share_url',
      'video_description',
      'title',
      'duration',
      'height',
      'width',
    ],
    ...['embed_html', 'embed_link', 'like_count', 'comment_count', 'share_count', 'view_count', 'is_aigc'],
  ].map(name => [name, 'video.list']),
)

/** The fields that are given, of those that were asked. @throws Refusal */
function fieldsOf(state: SandboxState, ask: Ask, grant: Grant, known: Readonly<Record<string, string>>): string[] {
  const asked = listOf(ask.query, 'fields')
  if (asked.length === 0) throw refusedData(state, 'invalid_params', 'The fields parameter is missing.')
  const strange = asked.find(name => !(name in known))
  if (strange !== undefined) throw refusedData(state, 'invalid_params', `The field ${strange} is not known.`)
  const granted = asked.filter(name => grant.scopes.includes(known[name] ?? ''))
  if (granted.length < asked.length && (state.quirks.tiktokScopes === 'refuse' || granted.length === 0))
    throw refusedData(state, 'scope_not_authorized')
  return granted
}

function only(fields: readonly string[], values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(fields.flatMap(name => (values[name] === undefined ? [] : [[name, values[name]]])))
}

function userInfo(state: SandboxState, ask: Ask): Answer {
  const { grant, creator } = callerOf(state, ask)
  const fields = fieldsOf(state, ask, grant, userFields)
  const counters = state.world.creatorCounters(creator, ask.nowMs)
  const avatar = `https://p16-sign.tiktokcdn.com/sandbox/${creator.handle}`
  return ok({
    data: {
      user: only(fields, {
        open_id: creator.id,
        union_id: creator.otherId,
        avatar_url: `${avatar}.jpeg`,
        avatar_url_100: `${avatar}-100.jpeg`,
        avatar_large_url: `${avatar}-large.jpeg`,
        display_name: creator.name,
        bio_description: creator.description,
        profile_deep_link: `https://vm.tiktok.com/${creator.handle}`,
        is_verified: creator.index === 0,
        username: creator.handle,
        follower_count: counters.followers,
        following_count: 10 + creator.index,
        likes_count: counters.likes,
        video_count: counters.posts,
      }),
    },
    error: fine,
  })
}

function videoList(state: SandboxState, ask: Ask): Answer {
  const { grant, creator } = callerOf(state, ask)
  const fields = fieldsOf(state, ask, grant, videoFields)
  const body = jsonOf(state, ask)
  const count = body.max_count ?? 10
  const cursor = body.cursor
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > 20)
    throw refusedData(state, 'invalid_params', 'max_count must be from 1 to 20.')
  if (cursor !== undefined && (typeof cursor !== 'number' || !Number.isInteger(cursor)))
    throw refusedData(state, 'invalid_params', 'cursor must be a number of milliseconds.')
  const videos: Post[] = []
  let hasMore = false
  for (const post of state.world.posts(creator, ask.nowMs)) {
    if (cursor !== undefined && post.publishedAtMs >= cursor) continue
    hasMore = videos.length === count
    if (hasMore) break
    videos.push(post)
  }
  return ok({
    data: {
      videos: videos.map(post => videoOf(state, ask, fields, post)),
      cursor: videos.at(-1)?.publishedAtMs ?? cursor ?? 0,
      has_more: hasMore,
    },
    error: fine,
  })
}

function videoQuery(state: SandboxState, ask: Ask): Answer {
  const { grant, creator } = callerOf(state, ask)
  const fields = fieldsOf(state, ask, grant, videoFields)
  const { filters } = jsonOf(state, ask)
  const ids: unknown =
    typeof filters === 'object' && filters !== null && 'video_ids' in filters ? filters.video_ids : null
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > 20 || !ids.every(id => typeof id === 'string'))
    throw refusedData(state, 'invalid_params', 'video_ids must be 1 to 20 strings.')
  const videos = ids.flatMap(id => {
    const post = state.world.postById('tiktok', id, ask.nowMs)
    // Another's are left out in silence.
    return post === null || post.creator !== creator ? [] : [videoOf(state, ask, fields, post)]
  })
  return ok({ data: { videos }, error: fine })
}

function jsonOf(state: SandboxState, ask: Ask): Record<string, unknown> {
  if (ask.contentType !== 'application/json') throw refusedData(state, 'invalid_params', 'The body must be JSON.')
  try {
    const json: unknown = JSON.parse(ask.body === '' ? '{}' : ask.body)
    if (typeof json === 'object' && json !== null) return { ...json }
  } catch {
    // Refused with whatever else is no object.
  }
  throw refusedData(state, 'invalid_params', 'The body must be a JSON object.')
}

function videoOf(state: SandboxState, ask: Ask, fields: readonly string[], post: Post): Record<string, unknown> {
  const counters = state.world.counters(post, ask.nowMs)
  const isHostile = post.creator.index === 1
  return only(fields, {
    id: post.id,
    create_time: Math.floor(post.publishedAtMs / 1000),
    cover_image_url: `https://p16-sign.tiktokcdn.com/sandbox/${post.id}.jpeg?x-expires=${Math.floor(ask.nowMs / 1000) + 21_600}`,
    share_url: `https://www.tiktok.com/@${post.creator.handle}/video/${post.id}`,
    video_description: `${post.title} ${post.tags.map(tag => `#${tag}`).join(' ')}`.trim(),
    title: isHostile ? post.title : post.title.slice(0, 150),
    duration: post.durationSeconds,
    height: 1024,
    width: 576,
    embed_html: `<blockquote class="tiktok-embed" data-video-id="${post.id}"></blockquote>`,
    embed_link: `https://www.tiktok.com/player/v1/${post.id}`,
    like_count: post.hasLikes ? counters.likes : undefined,
    comment_count: counters.comments,
    share_count: counters.shares,
    view_count: counters.views,
    is_aigc: false,
  })
}
