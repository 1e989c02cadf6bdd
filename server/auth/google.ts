import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import type { Clock } from '../../core/clock.ts'
import type { Outbound } from '../../core/outbound/port.ts'

const issuers = ['accounts.google.com', 'https://accounts.google.com']
const skewSec = 60
/** Longest that an ID token may be old: Google's live for an hour. */
const ageSecMax = 3600 + skewSec
const tokenBytesMax = 8192

const ClaimsSchema = z.object({
  sub: z.string().min(1).max(255),
  email: z.email().max(254),
  email_verified: z.union([z.boolean(), z.enum(['true', 'false']).transform(text => text === 'true')]),
  nonce: z.string().optional(),
})
const ExchangeSchema = z.object({ id_token: z.string().max(tokenBytesMax) })

/** Whom Google has signed in. The address is one that Google has verified. */
export interface GoogleUser {
  /** Google's own id of the person, which never changes. */
  readonly subject: string
  readonly email: string
}

/** Sign-in with Google. Both make network calls: never inside a transaction. */
export interface GoogleSignIn {
  readonly clientId: string
  /**
   * Checks an ID token: signature, issuer, audience, times, the nonce when one is given, and that the address is verified.
   * @throws AppError BAD_REQUEST for a token that fails; UNAVAILABLE when Google's keys cannot be read
   */
  verify(idToken: string, nonce: string | null): Promise<GoogleUser>
  /**
   * Exchanges the code that a browser brought back (PKCE) and checks the ID token that comes for it.
   * @throws AppError BAD_REQUEST when Google refuses the code; UNAVAILABLE when it does not answer
   */
  exchange(o: { code: string; codeVerifier: string; redirectUri: string; nonce: string | null }): Promise<GoogleUser>
}

export function createGoogleSignIn(
  deps: { outbound: Pick<Outbound, 'fetchConfigured'>; clock: Clock },
  o: { clientId: string; clientSecret: string; oauthUrl: string; certsUrl: string },
): GoogleSignIn {
  const keys = remoteKeys(deps.outbound, o.certsUrl)
  const verify: GoogleSignIn['verify'] = async (idToken, nonce) => {
    const claims = ClaimsSchema.safeParse(await payloadOf(idToken, { keys, clientId: o.clientId, clock: deps.clock }))
    if (!claims.success) throw refused('it has no e-mail address')
    if (!claims.data.email_verified) throw refused('its e-mail address is not verified')
    if (nonce !== null && claims.data.nonce !== nonce) throw refused('its nonce is another one')
    return { subject: claims.data.sub, email: claims.data.email }
  }
  return {
    clientId: o.clientId,
    verify,
    async exchange({ code, codeVerifier, redirectUri, nonce }) {
      const answer = await deps.outbound.fetchConfigured(`${o.oauthUrl}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          client_id: o.clientId,
          client_secret: o.clientSecret,
          code,
          code_verifier: codeVerifier,
          redirect_uri: redirectUri,
        }).toString(),
      })
      if (answer.status >= 500)
        throw new AppError('UNAVAILABLE', 'Google does not answer: try again in a moment, or sign in with a password.')
      const found = ExchangeSchema.safeParse(parseJson(answer.body))
      if (answer.status !== 200 || !found.success)
        throw new AppError('BAD_REQUEST', 'Google did not accept the code: it may have been used or be too old.')
      return await verify(found.data.id_token, nonce)
    },
  }
}

/**
 * Keys at an address that the operator configured, cached for ten minutes and asked for again when a token names an
 * unknown one, at most every half minute.
 */
export function remoteKeys(outbound: Pick<Outbound, 'fetchConfigured'>, url: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), {
    [customFetch]: async (address, { signal }) => {
      const answer = await outbound.fetchConfigured(address, { headers: { accept: 'application/json' }, signal })
      return new Response(answer.body, { status: answer.status })
    },
  })
}

/** Whether the fault lies with whoever keeps the keys, and not with the token. */
export function isKeyTrouble(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'UNAVAILABLE'
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true
  // What jose throws for an answer other than 200 has its base class alone.
  return error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC'
}

async function payloadOf(
  token: string,
  o: { keys: JWTVerifyGetKey; clientId: string; clock: Clock },
): Promise<Record<string, unknown>> {
  try {
    const { payload } = await jwtVerify(token, o.keys, {
      algorithms: ['RS256'],
      issuer: issuers,
      audience: o.clientId,
      currentDate: new Date(o.clock.nowMs()),
      clockTolerance: skewSec,
      maxTokenAge: ageSecMax,
      requiredClaims: ['exp', 'sub'],
    })
    // A token for several audiences is ours only when it was made for us.
    if (payload.azp !== undefined && Array.isArray(payload.aud) && payload.azp !== o.clientId)
      throw refused('it was made for another program')
    return payload
  } catch (error) {
    if (isKeyTrouble(error))
      throw new AppError('UNAVAILABLE', "Google's keys cannot be read: try again in a moment.", { cause: error })
    if (error instanceof errors.JWTExpired) throw refused('it has expired')
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw refused('it is not a valid one for us')
    throw error
  }
}

function refused(why: string): AppError {
  return new AppError('BAD_REQUEST', `The Google token was not accepted: ${why}. Sign in with Google again.`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
