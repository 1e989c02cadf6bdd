import type { roles } from '../../contracts/accounts.ts'
import type { Scope } from '../../contracts/api-keys.ts'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'

/** The kinds of credential that a route can take: a person's session, a machine's key, an agent's connector token. */
export type AuthScheme = 'jwt' | 'apiKey' | 'connectorToken'

/** Who asks, once a credential was believed. */
export interface Principal {
  readonly userId: UserId
  readonly scheme: AuthScheme
  readonly role: (typeof roles)[number]
  /** What the credential may do: a person's session everything that its user may. */
  readonly scopes: readonly Scope[] | 'all'
  /** Which session or key it is, for the audit log and for limits per key; null for one without a record. */
  readonly credentialId: string | null
  /**
   * When a session that is kept elsewhere ends, as far as its token tells: nobody says when it ends before. A connection
   * that stays ends with it.
   */
  readonly endsAtMs?: number
  /**
   * A service key: it acts for the users that it names (`act-for.ts`), inside their row level security, and opens nobody's
   * data without a name. `userId` is then the account that made it, and only limits and the audit log go by it.
   */
  readonly isService?: true
}

/** Whose the installation is: they see how it works, and make keys that act for others. */
export const operatorRoles = ['owner', 'admin'] as const satisfies readonly Principal['role'][]

export function isOperator({ role }: Pick<Principal, 'role'>): boolean {
  return operatorRoles.some(one => one === role)
}

/** For everybody else. */
export function operatorsOnly(): AppError {
  return new AppError('FORBIDDEN', 'This is for those who run the server: its owner and admins.')
}

/** Turns a bearer token into who it belongs to. Accounts, keys and connectors become further implementations. */
export interface Authenticator {
  /** `null` when no one of the accepted schemes knows the token. Takes as long for a near miss as for a wild guess. */
  authenticate(token: string, accepts: readonly AuthScheme[]): Promise<Principal | null>
}

/** Asks one after the other until somebody knows the token. Each refuses what does not have its form without a look-up. */
export function anyOf(authenticators: readonly Authenticator[]): Authenticator {
  return {
    async authenticate(token, accepts) {
      for (const authenticator of authenticators) {
        const principal = await authenticator.authenticate(token, accepts)
        if (principal !== null) return principal
      }
      return null
    },
  }
}
