import { ask, type ClientDeps, type Question, refusedAhead } from '../http.ts'
import { listAt, textAt, wordsAt } from '../json.ts'
import { bogus, callbackIn, hasToken, inconclusive, invalid, pageUrl, probe, tokensIn, valid } from '../oauth.ts'
import {
  type DeveloperCredentials,
  type PlatformAuth,
  PlatformError,
  type StoredTokens,
  type TokenSet,
  type Verdict,
} from '../port.ts'
import { instagramSpeech } from './errors.ts'
import { facebookLogin, instagramLogin } from './login.ts'

const dayMs = 86_400_000

/**
 * Instagram Login: a code becomes a token of an hour, that one a token of 60 days, and from its second day on that can be
 * prolonged until it expires; then only the user helps. There is no refresh token and no PKCE.
 */
export function instagramLoginAuth(deps: ClientDeps): PlatformAuth {
  const { urls, clock } = deps
  const call = (question: Question) => ask(deps, instagramSpeech, question)
  const exchange = ({ clientId, clientSecret }: DeveloperCredentials, code: string, redirectUri: string) =>
    call({
      method: 'POST',
      url: `${urls.instagramToken}/oauth/access_token`,
      form: {
        client_id: clientId,
        client_secret: clientSecret,
        grant_type: 'authorization_code',
        redirect_uri: redirectUri,
        code,
      },
    })
  const lengthen = (clientSecret: string, token: string) =>
    call({
      url: `${urls.instagramGraph}/access_token`,
      query: { grant_type: 'ig_exchange_token', client_secret: clientSecret, access_token: token },
    })

  return {
    platform: 'instagram',
    kinds: ['instagram_login'],
    scopesOf: kind => (kind === 'instagram_login' ? instagramLogin.scopes : []),
    authorizationUrl: ({ credentials, redirectUri, state, scopes }) =>
      pageUrl(`${urls.instagramAuthorize}/oauth/authorize`, {
        client_id: credentials.clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: scopes.join(','),
        state,
      }),
    readCallback: query => callbackIn('Instagram', query),
    async exchangeCode({ credentials, redirectUri, code }) {
      const { json } = await exchange(credentials, code, redirectUri)
      // Documented in a list, seen flat; the permissions as a list or with commas.
      const first = listAt(json, 'data')[0] ?? json
      const scopes = wordsAt(first, /[,\s]+/, 'permissions')
      const short = tokensIn(instagramSpeech, first, { scopes, askedAtMs: clock.nowMs() })
      const askedAtMs = clock.nowMs()
      const long = await lengthen(credentials.clientSecret, short.accessToken)
      return tokensIn(instagramSpeech, long.json, { scopes, askedAtMs })
    },
    async refresh(_credentials, { accessToken, issuedAtMs }) {
      const askedAtMs = clock.nowMs()
      const waitMs = issuedAtMs + dayMs - askedAtMs
      if (waitMs > 0)
        throw refusedAhead(instagramSpeech, {
          class: 'rate',
          code: 'token_too_young',
          advice: 'A token can be prolonged from its second day on.',
          waitMs,
        })
      const { json } = await grantOrNothing(() =>
        call({
          url: `${urls.instagramGraph}/refresh_access_token`,
          query: { grant_type: 'ig_refresh_token' },
          bearer: accessToken,
        }),
      )
      return tokensIn(instagramSpeech, json, { scopes: wordsAt(json, /[,\s]+/, 'permissions'), askedAtMs })
    },
    revoke: (_credentials, { accessToken }) =>
      bestEffort(() =>
        call({ method: 'DELETE', url: `${urls.instagramGraph}/me/permissions`, bearer: accessToken, mayBeEmpty: true }),
      ),
    async validate(credentials) {
      const judged = await judgedBy(secret =>
        probe(() => exchange({ ...credentials, clientSecret: secret }, bogus, 'https://localhost/')),
      )(credentials.clientSecret)
      if (judged.status !== 'inconclusive' || judged.isUnreachable) return judged.verdict
      // The first address may not look at the secret before the code; the second one does.
      const second = await judgedBy(secret => probe(() => lengthen(secret, bogus)))(credentials.clientSecret)
      return second.verdict
    },
  }
}

/** Facebook Login: the token of a person with roles on Pages; it lives for 60 days and can be exchanged until then. */
export function facebookLoginAuth(deps: ClientDeps): PlatformAuth {
  const { urls, clock } = deps
  const graph = facebookLogin.graph(urls)
  const token = ({ clientId, clientSecret }: DeveloperCredentials, query: Readonly<Record<string, string>>) =>
    ask(deps, instagramSpeech, {
      url: `${graph}/oauth/access_token`,
      query: { client_id: clientId, client_secret: clientSecret, ...query },
    })
  const lengthened = async (credentials: DeveloperCredentials, short: string): Promise<Omit<TokenSet, 'scopes'>> => {
    const askedAtMs = clock.nowMs()
    const { json } = await token(credentials, { grant_type: 'fb_exchange_token', fb_exchange_token: short })
    return tokensIn(instagramSpeech, json, { scopes: null, askedAtMs })
  }
  const grantedScopes = async (accessToken: string): Promise<string[]> => {
    const { json } = await ask(deps, instagramSpeech, { url: `${graph}/me/permissions`, bearer: accessToken })
    return listAt(json, 'data').flatMap(one =>
      textAt(one, 'status') === 'granted' && textAt(one, 'permission') !== '' ? [textAt(one, 'permission')] : [],
    )
  }

  return {
    platform: 'instagram',
    kinds: ['facebook_login'],
    scopesOf: kind => (kind === 'facebook_login' ? facebookLogin.scopes : []),
    authorizationUrl: ({ credentials, redirectUri, state, scopes }) =>
      pageUrl(`${urls.facebookAuthorize}/${urls.graphVersion}/dialog/oauth`, {
        client_id: credentials.clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: scopes.join(','),
        state,
        // Asks again for what was declined before.
        auth_type: 'rerequest',
      }),
    readCallback: query => callbackIn('Facebook', query),
    async exchangeCode({ credentials, redirectUri, code }) {
      const short = await token(credentials, { redirect_uri: redirectUri, code })
      const long = await lengthened(
        credentials,
        tokensIn(instagramSpeech, short.json, { scopes: null, askedAtMs: clock.nowMs() }).accessToken,
      )
      return { ...long, scopes: await grantedScopes(long.accessToken) }
    },
    refresh: async (credentials, { accessToken }) => {
      const long = await grantOrNothing(() => lengthened(credentials, accessToken))
      return { ...long, scopes: null }
    },
    revoke: (_credentials, { accessToken }: StoredTokens) =>
      bestEffort(() =>
        ask(deps, instagramSpeech, {
          method: 'DELETE',
          url: `${graph}/me/permissions`,
          bearer: accessToken,
          mayBeEmpty: true,
        }),
      ),
    async validate(credentials) {
      const own = (clientSecret: string) =>
        probe(() => token({ ...credentials, clientSecret }, { grant_type: 'client_credentials' }))
      const answer = await own(credentials.clientSecret)
      if (hasToken(answer)) return valid
      if (!(answer instanceof PlatformError) || answer.class !== 'client') return inconclusive(answer)
      if (answer.code !== unknownApp) return invalid(answer)
      // It says the same of an Instagram app, whose secret may well be right: then it judges nothing.
      const control = await own(wrongSecretFor(credentials.clientSecret))
      if (control instanceof PlatformError && control.code !== unknownApp) return invalid(answer)
      return inconclusive(
        'Facebook does not know this app id. If it is an Instagram App ID, enter it as Instagram Login; otherwise check the Meta app id.',
      )
    },
  }
}

/** "Error validating application": an id that Facebook does not know. */
const unknownApp = '101'

/** A token that cannot be prolonged is not refreshed a second time: the user must link again. */
async function grantOrNothing<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    if (!(error instanceof PlatformError && error.class === 'token')) throw error
    throw new PlatformError({
      platform: 'instagram',
      class: 'grant',
      code: error.code,
      message: `${error.message} The account must be linked again.`,
      cause: error,
    })
  }
}

/** No way to revoke is documented for Instagram Login: only what may pass with time is passed on. */
async function bestEffort(question: () => Promise<unknown>): Promise<void> {
  try {
    await question()
  } catch (error) {
    const mayPass = !(error instanceof PlatformError) || ['network', 'server', 'rate', 'quota'].includes(error.class)
    if (mayPass) throw error
  }
}

interface Judgement {
  readonly status: Verdict['status']
  readonly verdict: Verdict
  /** Whether nobody was there to judge. */
  readonly isUnreachable: boolean
}

/**
 * Judges a secret with a code or token that cannot be. Right credentials get as far as that one's refusal; but so may wrong
 * ones, where the secret is not looked at. A control with a secret that is surely wrong tells the two apart.
 */
function judgedBy(ask: (secret: string) => ReturnType<typeof probe>): (secret: string) => Promise<Judgement> {
  const judgement = (verdict: Verdict, isUnreachable = false) => ({ status: verdict.status, verdict, isUnreachable })
  return async secret => {
    const answer = await ask(secret)
    if (answer instanceof PlatformError && answer.class === 'client') return judgement(invalid(answer))
    const isPastSecret = answer instanceof PlatformError && (answer.class === 'grant' || answer.class === 'token')
    if (!isPastSecret) return judgement(inconclusive(answer), answer instanceof PlatformError && isAway(answer))
    const control = await ask(wrongSecretFor(secret))
    if (control instanceof PlatformError && control.class === 'client') return judgement(valid)
    return judgement(
      inconclusive(
        control instanceof PlatformError && isAway(control)
          ? control
          : 'Instagram refused the probe alike with this secret and with a wrong one, so it tells nothing of the secret.',
      ),
    )
  }
}

function isAway(error: PlatformError): boolean {
  return ['network', 'server', 'rate'].includes(error.class)
}

/** Of the right form, and never the given one. */
function wrongSecretFor(secret: string): string {
  const zeros = '0'.repeat(32)
  return secret === zeros ? '1'.repeat(32) : zeros
}
