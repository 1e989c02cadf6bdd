import { createHash } from 'node:crypto'
import { ask, type ClientDeps, refusedAhead } from '../http.ts'
import { wordsAt } from '../json.ts'
import {
  bogus,
  callbackIn,
  hasToken,
  inconclusive,
  invalid,
  pageUrl,
  probe,
  revokedUnlessGone,
  tokensIn,
  valid,
} from '../oauth.ts'
import { type DeveloperCredentials, type PlatformAuth, PlatformError, type TokenSet, type Verdict } from '../port.ts'
import { tiktokSpeech } from './errors.ts'

export const scopeOf = {
  basic: 'user.info.basic',
  profile: 'user.info.profile',
  stats: 'user.info.stats',
  videos: 'video.list',
} as const

/**
 * TikTok's Login Kit v2. Every refresh gives a new refresh token and kills the sent one at once: who calls stores it before
 * anything else, and never refreshes twice at a time. The addresses need their slash at the end, and forms.
 */
export function tiktokAuth(deps: ClientDeps): PlatformAuth {
  const post = (path: string, credentials: DeveloperCredentials, form: Readonly<Record<string, string>>) =>
    ask(deps, tiktokSpeech, {
      method: 'POST',
      url: `${deps.urls.tiktokApi}/v2/oauth/${path}/`,
      form: { client_key: credentials.clientId, client_secret: credentials.clientSecret, ...form },
      // A revocation says nothing.
      mayBeEmpty: path === 'revoke',
    })

  const token = async (
    credentials: DeveloperCredentials,
    form: Readonly<Record<string, string>>,
  ): Promise<TokenSet> => {
    const askedAtMs = deps.clock.nowMs()
    const { json } = await post('token', credentials, form)
    return tokensIn(tiktokSpeech, json, { scopes: wordsAt(json, /[,\s]+/, 'scope'), askedAtMs })
  }

  const refresh: PlatformAuth['refresh'] = async (credentials, { refreshToken }) => {
    if (refreshToken === null) throw refusedAhead(tiktokSpeech, { class: 'grant', code: 'no_refresh_token' })
    return token(credentials, { grant_type: 'refresh_token', refresh_token: refreshToken })
  }

  return {
    platform: 'tiktok',
    kinds: ['tiktok_desktop', 'tiktok_web'],
    scopesOf: kind => (kind === 'tiktok_desktop' || kind === 'tiktok_web' ? Object.values(scopeOf) : []),
    authorizationUrl: ({ credentials, redirectUri, state, scopes, codeVerifier }) =>
      pageUrl(`${deps.urls.tiktokAuthorize}/v2/auth/authorize/`, {
        client_key: credentials.clientId,
        response_type: 'code',
        scope: scopes.join(','),
        redirect_uri: redirectUri,
        state,
        ...(credentials.kind === 'tiktok_desktop'
          ? { code_challenge: hexChallenge(codeVerifier), code_challenge_method: 'S256' }
          : {}),
      }),
    readCallback: query => callbackIn('TikTok', query),
    exchangeCode: ({ credentials, redirectUri, codeVerifier, code }) =>
      token(credentials, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        ...(credentials.kind === 'tiktok_desktop' ? { code_verifier: codeVerifier } : {}),
      }),
    refresh,
    async revoke(credentials, tokens) {
      const revoke = (accessToken: string) => post('revoke', credentials, { token: accessToken })
      try {
        await revoke(tokens.accessToken)
      } catch (error) {
        if (!(error instanceof PlatformError && (error.class === 'token' || error.class === 'grant'))) throw error
        if (tokens.refreshToken === null) return
        // Only a living access token revokes, and the grant outlives it by far.
        await revokedUnlessGone(async () => revoke((await refresh(credentials, tokens)).accessToken))
      }
    },
    validate: credentials => judge(form => probe(() => post('token', credentials, form))),
  }
}

/** TikTok's own PKCE: the hash in lower-case hex, not in base64url. Only its exchange would tell, after consent. */
function hexChallenge(verifier: string): string {
  return createHash('sha256').update(verifier).digest('hex')
}

/** Asks for an app's own token; where an app may not have one, a code that cannot be gets as far as being refused. */
async function judge(ask: (form: Record<string, string>) => ReturnType<typeof probe>): Promise<Verdict> {
  const first = await ask({ grant_type: 'client_credentials' })
  if (hasToken(first)) return valid
  if (first instanceof PlatformError && first.code === 'invalid_client') return invalid(first)
  if (first instanceof PlatformError && ['network', 'rate', 'server'].includes(first.class)) return inconclusive(first)
  const second = await ask({ grant_type: 'authorization_code', code: bogus })
  if (second instanceof PlatformError && second.class === 'grant') return valid
  return second instanceof PlatformError && second.code === 'invalid_client' ? invalid(second) : inconclusive(second)
}
