import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import { sqlStateOf, uniqueViolation } from '../../core/db/sql-errors.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import { recordAudit } from '../features/audit/record.ts'
import type { Authenticator } from './authenticator.ts'
import { isKeyTrouble, remoteKeys } from './google.ts'

const skewSec = 30
const knownMax = 10_000
/** As with our own sessions: an account that was deleted is refused within a second. */
const knownMs = 900

/** Keys for the service and for people without an account are tokens of the same issuer: `role` tells them apart. */
const ClaimsSchema = z.object({
  sub: z.uuid(),
  role: z.literal('authenticated'),
  is_anonymous: z.literal(false).optional(),
  email: z.union([z.email().max(254), z.literal('')]).optional(),
  exp: z.int(),
})

type Claims = z.infer<typeof ClaimsSchema>

/**
 * Believes access tokens of one Supabase project: signed by its published keys, or with its JWT secret where it still has
 * one. `sub` is mapped to a user of ours, who is made at the first visit. The address in such a token is not taken as
 * verified, so it never opens an account that is already there.
 *
 * @param project.url without a slash at its end
 */
export function supabaseAuthenticator(
  deps: { db: Db; outbound: Pick<Outbound, 'fetchConfigured'>; clock: Clock; registration: 'open' | 'closed' },
  project: { url: string; jwtSecret: string | null },
): Authenticator {
  const { db, clock } = deps
  const issuer = `${project.url}/auth/v1`
  const published = remoteKeys(deps.outbound, `${issuer}/.well-known/jwks.json`)
  const secret = project.jwtSecret === null ? null : new TextEncoder().encode(project.jwtSecret)
  const known = new Map<string, { atMs: number; user: KnownUser }>()

  /** Of two first visits at once one makes the user, and the other finds it; an address that was just taken is left out. */
  const makeOrFind = async (claims: Claims): Promise<KnownUser | null> => {
    try {
      return await makeUser(deps, claims)
    } catch (error) {
      if (sqlStateOf(error) !== uniqueViolation) throw error
      return (await findUser(db, claims.sub)) ?? (await makeUser(deps, claims))
    }
  }
  const userOf = async (claims: Claims): Promise<KnownUser | null> => {
    const nowMs = clock.nowMs()
    const found = known.get(claims.sub)
    if (found && Math.abs(nowMs - found.atMs) < knownMs) return found.user
    const user = (await findUser(db, claims.sub)) ?? (await makeOrFind(claims))
    if (user === null) return null
    if (known.size >= knownMax) known.clear()
    known.set(claims.sub, { atMs: nowMs, user })
    return user
  }

  return {
    async authenticate(token, accepts) {
      if (!accepts.includes('jwt')) return null
      const payload = await payloadOf(token, { issuer, published, secret, clock })
      const claims = ClaimsSchema.safeParse(payload)
      if (!claims.success) return null
      const user = await userOf(claims.data)
      if (user === null) return null
      const endsAtMs = claims.data.exp * 1000
      return { userId: user.id, scheme: 'jwt', role: user.role, scopes: 'all', credentialId: null, endsAtMs }
    },
  }
}

interface KnownUser {
  readonly id: UserId
  readonly role: 'owner' | 'user' | 'admin'
}

async function payloadOf(
  token: string,
  o: { issuer: string; published: JWTVerifyGetKey; secret: Uint8Array | null; clock: Clock },
): Promise<JWTPayload | null> {
  const checks = {
    issuer: o.issuer,
    audience: 'authenticated',
    currentDate: new Date(o.clock.nowMs()),
    clockTolerance: skewSec,
    maxTokenAge: '7 days',
    requiredClaims: ['exp', 'sub'],
  }
  try {
    // Which key is asked is decided by us: a token that names HS256 is never checked against a published key.
    const isSecret = decodeProtectedHeader(token).alg === 'HS256'
    if (isSecret && o.secret === null) return null
    const { payload } =
      isSecret && o.secret
        ? await jwtVerify(token, o.secret, { ...checks, algorithms: ['HS256'] })
        : await jwtVerify(token, o.published, { ...checks, algorithms: ['RS256', 'ES256'] })
    return payload
  } catch (error) {
    if (isKeyTrouble(error))
      throw new AppError('UNAVAILABLE', 'The keys of the Supabase project cannot be read: try again in a moment.', {
        cause: error,
      })
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null
    throw error
  }
}

async function findUser(db: Db, subject: string): Promise<KnownUser | null> {
  const row = await db.system
    .selectFrom('identities')
    .innerJoin('users', 'users.id', 'identities.user_id')
    .select(['users.id', 'users.role'])
    .where('provider', '=', 'supabase')
    .where('subject', '=', subject)
    .executeTakeFirst()
  return row ? { id: UserIdSchema.parse(row.id), role: row.role } : null
}

/** Null where nobody may register. */
async function makeUser(
  { db, clock, registration }: { db: Db; clock: Clock; registration: 'open' | 'closed' },
  claims: Claims,
): Promise<KnownUser | null> {
  if (registration === 'closed') return null
  const now = new Date(clock.nowMs())
  return await db.transaction(async trx => {
    const email = claims.email || null
    const taken =
      email === null
        ? undefined
        : await trx
            .selectFrom('users')
            .select('id')
            .where(eb => eb(eb.fn('lower', ['email']), '=', email.toLowerCase()))
            .executeTakeFirst()
    const { id } = await trx
      .insertInto('users')
      .values({ email: taken ? null : email, role: 'user', is_local: false, created_at: now })
      .returning('id')
      .executeTakeFirstOrThrow()
    const userId = UserIdSchema.parse(id)
    await trx
      .insertInto('identities')
      .values({ provider: 'supabase', subject: claims.sub, user_id: userId, created_at: now })
      .execute()
    await recordAudit(trx, userId, null, {
      action: 'account.registered',
      target: null,
      details: { through: 'supabase' },
    })
    return { id: userId, role: 'user' }
  })
}
