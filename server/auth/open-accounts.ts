import type { UserId } from '../../contracts/ids.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import type { KeyValue } from '../../core/key-value/port.ts'
import type { Log } from '../../core/log.ts'
import type { Mailer } from '../../core/mail/port.ts'
import type { Authenticator } from './authenticator.ts'
import type { GoogleSignIn } from './google.ts'
import { createLocalTokens, type LocalTokens } from './local-tokens.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { sessionAuthenticator } from './session-authenticator.ts'
import { openSessionStates } from './session-states.ts'
import { refreshKeyOf, sweepSessions } from './sessions.ts'
import { createSignedTokens, type SignedTokens } from './signed-token.ts'
import { openSigningKeys } from './signing-keys.ts'
import { createSignInThrottle, type SignInThrottle } from './throttle.ts'

/** What the verbs of accounts stand on, beside the stores. */
export interface Accounts {
  readonly tokens: SignedTokens
  /** Makes the successors of refresh tokens. */
  readonly refreshKey: Buffer
  readonly passwords: Passwords
  readonly throttle: SignInThrottle
  /** Null: mails are not configured. */
  readonly mailer: Mailer | null
  /** Null: Google is not configured. */
  readonly google: GoogleSignIn | null
  readonly registration: 'open' | 'closed'
  /** Where links in mails lead, e.g. `https://tape.example`, without a slash at its end; null while nobody knows. */
  readonly linkBase: () => string | null
  /** Does something after the answer; a failure is logged. `close` of the whole waits for it. */
  readonly later: (work: Promise<void>) => void
}

export interface OpenAccounts {
  readonly accounts: Accounts
  /** Believes access tokens of sessions. */
  readonly sessions: Authenticator
  readonly local: LocalTokens
  /** Replaces a signing key that is 30 days old, and sweeps away what has ended. To be called every day, on one node. */
  tidy(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens everything that signing in needs on open stores.
 * @param o.secret JWT_SECRET, or what the home holds in its place
 * @param o.ownerId the local owner
 */
export async function openAccounts(
  deps: { db: Db; bus: Bus; keyValue: KeyValue; clock: Clock; log: Log },
  o: {
    secret: string
    ownerId: UserId
    mailer: Mailer | null
    google: GoogleSignIn | null
    registration: 'open' | 'closed'
    linkBase: () => string | null
    passwords?: Passwords
  },
): Promise<OpenAccounts> {
  const { db, clock, log } = deps
  const keys = await openSigningKeys(deps, o.secret)
  const tokens = createSignedTokens(keys, clock)
  const states = await openSessionStates(deps)
  const underWay = new Set<Promise<void>>()
  return {
    accounts: {
      tokens,
      refreshKey: refreshKeyOf(o.secret),
      passwords: o.passwords ?? createPasswords(),
      throttle: createSignInThrottle(deps),
      mailer: o.mailer,
      google: o.google,
      registration: o.registration,
      linkBase: o.linkBase,
      later(work) {
        const done = work
          .catch(error => log.error({ err: error }, 'Something that was to follow a request failed.'))
          .finally(() => underWay.delete(done))
        underWay.add(done)
      },
    },
    sessions: sessionAuthenticator(tokens, states),
    local: createLocalTokens({ db, clock, tokens, ownerId: o.ownerId }),
    async tidy() {
      await keys.rotate()
      await db.transaction(trx => sweepSessions(trx, clock.nowMs()))
    },
    async close() {
      await Promise.all(underWay)
      await states.close()
      await keys.close()
    },
  }
}
