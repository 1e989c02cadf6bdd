import { createHash } from 'node:crypto'
import { ask, type ClientDeps, refusedAhead } from '../http.ts'
import { wordsAt } from '../json.ts'
import {
  bogus,
  callbackIn,
  inconclusive,
  invalid,
  pageUrl,
  probe,
  revokedUnlessGone,
  tokensIn,
  valid,
} from '../oauth.ts'
import { type DeveloperCredentials, type PlatformAuth, PlatformError, type TokenSet, type Verdict } from '../port.ts'
import { youtubeSpeech } from './errors.ts'

const prefix = 'https://www.googleapis.com/auth/'
export const analyticsScope = `${prefix}yt-analytics.readonly`
const scopes = [`${prefix}youtube.readonly`, analyticsScope] as const
/** Any video: whether it exists does not matter. */
const probeVideoId = 'dQw4w9WgXcQ'

/**
 * Google's OAuth for YouTube. A refresh token comes only when the page of consent was really shown, so it always is; it
 * does not rotate. A grant of an app that is "in testing" dies after seven days.
 */
export function youtubeAuth(deps: ClientDeps): PlatformAuth {
  const post = (path: string, form: Readonly<Record<string, string>>) =>
    ask(deps, youtubeSpeech, { method: 'POST', url: `${deps.urls.googleToken}${path}`, form })

  const token = async (
    credentials: DeveloperCredentials,
    form: Readonly<Record<string, string>>,
  ): Promise<TokenSet> => {
    const askedAtMs = deps.clock.nowMs()
    const { clientId, clientSecret } = credentials
    const { json } = await post('/token', { ...form, client_id: clientId, client_secret: clientSecret })
    return tokensIn(youtubeSpeech, json, { scopes: wordsAt(json, / +/, 'scope'), askedAtMs })
  }

  return {
    platform: 'youtube',
    kinds: ['google', 'google_api_key'],
    scopesOf: kind => (kind === 'google' ? scopes : []),
    authorizationUrl({ credentials, redirectUri, state, scopes: asked, codeVerifier }) {
      if (credentials.kind === 'google_api_key')
        throw refusedAhead(youtubeSpeech, {
          class: 'bad_request',
          code: 'no_oauth_client',
          advice: 'An API key links no account: enter an OAuth client id and secret of Google.',
        })
      return pageUrl(`${deps.urls.googleAuthorize}/o/oauth2/v2/auth`, {
        client_id: credentials.clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: asked.join(' '),
        state,
        access_type: 'offline',
        prompt: 'consent',
        // Who wants fewer gets back none that were granted before.
        ...(asked.length < scopes.length ? {} : { include_granted_scopes: 'true' }),
        code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
        code_challenge_method: 'S256',
      })
    },
    readCallback: query => callbackIn('Google', query),
    exchangeCode: ({ credentials, redirectUri, codeVerifier, code }) =>
      token(credentials, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
      }),
    async refresh(credentials, { refreshToken }) {
      if (refreshToken === null) throw refusedAhead(youtubeSpeech, { class: 'grant', code: 'no_refresh_token' })
      return token(credentials, { grant_type: 'refresh_token', refresh_token: refreshToken })
    },
    // Either kills the whole grant; the refresh token lives longer.
    revoke: (_credentials, { accessToken, refreshToken }) =>
      revokedUnlessGone(() => post('/revoke', { token: refreshToken ?? accessToken })),
    validate: credentials =>
      credentials.kind === 'google_api_key' ? judgeKey(deps, credentials.apiKey ?? '') : judgeClient(post, credentials),
  }
}

/** A refresh token that cannot be: right credentials get as far as being told so. */
async function judgeClient(
  post: (path: string, form: Record<string, string>) => ReturnType<typeof ask>,
  { clientId, clientSecret }: DeveloperCredentials,
): Promise<Verdict> {
  const form = {
    grant_type: 'refresh_token',
    refresh_token: bogus,
    client_id: clientId,
    client_secret: clientSecret,
  }
  const answer = await probe(() => post('/token', form))
  if (answer instanceof PlatformError && answer.class === 'grant') return valid
  return answer instanceof PlatformError && answer.class === 'client' ? invalid(answer) : inconclusive(answer)
}

/** Costs one unit. A key whose quota is used is a good key; one whose project has the interface off is of no use. */
async function judgeKey(deps: ClientDeps, key: string): Promise<Verdict> {
  const answer = await probe(() =>
    ask(deps, youtubeSpeech, {
      url: `${deps.urls.youtubeData}/youtube/v3/videos`,
      query: { part: 'id', id: probeVideoId },
      key,
    }),
  )
  if (!(answer instanceof PlatformError) || answer.class === 'quota') return valid
  return answer.class === 'client' || answer.class === 'permission' ? invalid(answer) : inconclusive(answer)
}
