import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { roles } from '../../contracts/accounts.ts'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Clock } from '../../core/clock.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The one algorithm: nobody but our own nodes checks these tokens, so nobody needs a public key. */
const algorithm = 'HS256'
const issuer = 'cliptape'
/** Clocks of two nodes may differ by this much. */
const skewSec = 5

/** How long access tokens live: those of a session, and at most those that `cliptape token` prints. */
export const accessTokenMs = 15 * 60_000
/** Nothing that is signed lives longer; retired keys are kept for as long. */
export const signedMsMax = 24 * 3_600_000

/**
 * What is signed, and for whom. The audience and the type keep one kind from being taken for another: a link that was
 * sent by mail opens no API.
 */
const kinds = {
  access: { audience: 'cliptape-api', typ: 'at+jwt' },
  mail: { audience: 'cliptape-mail', typ: 'mail+jwt' },
} as const

const AccessClaimsSchema = z.object({ sub: UserIdSchema, sid: z.uuid(), role: z.enum(roles), exp: z.int() })
export const mailPurposes = ['verify_email', 'reset_password'] as const
export type MailPurpose = (typeof mailPurposes)[number]
const MailClaimsSchema = z.object({ sub: UserIdSchema, jti: z.uuid(), purpose: z.enum(mailPurposes) })

export interface AccessClaims {
  readonly userId: UserId
  readonly sessionId: string
  readonly role: (typeof roles)[number]
}

export interface MailClaims {
  readonly userId: UserId
  readonly linkId: string
  readonly purpose: MailPurpose
}

/** Signs and reads our own tokens. Reading gives null for every token that is not good, whatever is wrong with it. */
export interface SignedTokens {
  /** @param lifeMs at most 24 hours */
  signAccess(claims: AccessClaims, lifeMs: number): Promise<string>
  readAccess(token: string): Promise<AccessClaims | null>
  signMail(claims: MailClaims, lifeMs: number): Promise<string>
  readMail(token: string): Promise<MailClaims | null>
}

export function createSignedTokens(keys: SigningKeys, clock: Clock): SignedTokens {
  const sign = async (kind: keyof typeof kinds, payload: JWTPayload, lifeMs: number): Promise<string> => {
    const { kid, key } = keys.current()
    const nowSec = Math.floor(clock.nowMs() / 1000)
    return await new SignJWT(payload)
      .setProtectedHeader({ alg: algorithm, typ: kinds[kind].typ, kid })
      .setIssuer(issuer)
      .setAudience(kinds[kind].audience)
      .setIssuedAt(nowSec)
      .setExpirationTime(nowSec + Math.floor(Math.min(lifeMs, signedMsMax) / 1000))
      .sign(key)
  }
  const read = async <S extends z.ZodType>(kind: keyof typeof kinds, schema: S, token: string) => {
    const payload = await payloadOf(token, kinds[kind], { keys, clock })
    const parsed = schema.safeParse(payload)
    return parsed.success ? parsed.data : null
  }
  return {
    signAccess: ({ userId, sessionId, role }, lifeMs) => sign('access', { sub: userId, sid: sessionId, role }, lifeMs),
    async readAccess(token) {
      const claims = await read('access', AccessClaimsSchema, token)
      return claims && { userId: claims.sub, sessionId: claims.sid, role: claims.role }
    },
    signMail: ({ userId, linkId, purpose }, lifeMs) => sign('mail', { sub: userId, jti: linkId, purpose }, lifeMs),
    async readMail(token) {
      const claims = await read('mail', MailClaimsSchema, token)
      return claims && { userId: claims.sub, linkId: claims.jti, purpose: claims.purpose }
    },
  }
}

/** Null for what is no good token; a store that does not answer while a key is looked for is the caller's to hear of. */
async function payloadOf(
  token: string,
  kind: (typeof kinds)[keyof typeof kinds],
  { keys, clock }: { keys: SigningKeys; clock: Clock },
): Promise<JWTPayload | null> {
  if (!isWritten(token)) return null
  try {
    const verified = await jwtVerify(
      token,
      async header => {
        const key = header.kid === undefined ? null : await keys.find(header.kid)
        if (key === null) throw new errors.JWKSNoMatchingKey()
        return key
      },
      {
        algorithms: [algorithm],
        issuer,
        audience: kind.audience,
        typ: kind.typ,
        currentDate: new Date(clock.nowMs()),
        clockTolerance: skewSec,
        // Besides a bound on the age, this is what makes jose refuse a token that was issued in the future.
        maxTokenAge: signedMsMax / 1000,
        requiredClaims: ['exp'],
      },
    )
    return verified.payload
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null
    throw error
  }
}

/** The last character of a part has bits to spare: a token that was changed there alone is not the one that we wrote. */
function isWritten(token: string): boolean {
  return token.split('.').every(part => Buffer.from(part, 'base64url').toString('base64url') === part)
}
