import { letters } from './chance.ts'

/** What an account has allowed an app. Tokens hang on it: a grant that is revoked takes all of them with it. */
export interface Grant {
  readonly clientId: string
  /** Whom the platform's answer is about: a creator's id, or a Facebook user's. */
  readonly accountId: string
  scopes: string[]
  isRevoked: boolean
}

export interface Token {
  readonly value: string
  readonly kind: 'access' | 'refresh' | 'short' | 'long' | 'client' | 'page'
  /** Null of a client's own token. */
  readonly grant: Grant | null
  readonly clientId: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number | null
  lastUsedAtMs: number
  isDead: boolean
}

export interface Code {
  readonly value: string
  readonly clientId: string
  readonly accountId: string
  readonly scopes: readonly string[]
  readonly redirectUri: string
  readonly challenge: string | null
  readonly isPlain: boolean
  /** Whether a refresh token comes with it, where that depends. */
  readonly withRefresh: boolean
  readonly expiresAtMs: number
  isUsed: boolean
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Codes, grants and tokens of one sandbox, in memory. */
export class Grants {
  readonly #seed: number
  readonly #codes = new Map<string, Code>()
  readonly #tokens = new Map<string, Token>()
  readonly #grants: Grant[] = []
  #made = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** A text that was never given out. */
  secret(length: number): string {
    this.#made += 1
    return letters(alphabet, length, this.#seed, this.#made, 0x70)
  }

  addCode(code: Omit<Code, 'isUsed'>): Code {
    const added = { ...code, isUsed: false }
    this.#codes.set(code.value, added)
    return added
  }

  code(value: string): Code | null {
    return this.#codes.get(value) ?? null
  }

  grantOf(clientId: string, accountId: string): Grant | null {
    return this.#grants.find(one => one.clientId === clientId && one.accountId === accountId && !one.isRevoked) ?? null
  }

  /** The grant of an app and an account with these scopes from now on. */
  grant(clientId: string, accountId: string, scopes: readonly string[]): Grant {
    const known = this.grantOf(clientId, accountId)
    if (known !== null) {
      known.scopes = [...scopes]
      return known
    }
    const made: Grant = { clientId, accountId, scopes: [...scopes], isRevoked: false }
    this.#grants.push(made)
    return made
  }

  addToken(token: Omit<Token, 'isDead' | 'lastUsedAtMs'>): Token {
    const added = { ...token, isDead: false, lastUsedAtMs: token.issuedAtMs }
    this.#tokens.set(token.value, added)
    return added
  }

  /** A token that is known, dead or alive. */
  token(value: string | null): Token | null {
    return value === null ? null : (this.#tokens.get(value) ?? null)
  }

  /** The living tokens of a grant, oldest first. */
  tokensOf(grant: Grant, kind: Token['kind']): Token[] {
    return [...this.#tokens.values()].filter(one => one.grant === grant && one.kind === kind && !one.isDead)
  }

  /** Every grant of every app, as if all users had thought better of it. */
  revokeAll(): void {
    for (const grant of this.#grants) grant.isRevoked = true
  }

  /** Access tokens are dead at once; what refreshes them lives. */
  killAccessTokens(): void {
    for (const token of this.#tokens.values()) if (token.kind !== 'refresh') token.isDead = true
  }
}

/** Why a token is not taken, or null. */
export function ailmentOf(token: Token, nowMs: number): 'dead' | 'revoked' | 'expired' | null {
  if (token.grant?.isRevoked) return 'revoked'
  if (token.isDead) return 'dead'
  return token.expiresAtMs !== null && nowMs >= token.expiresAtMs ? 'expired' : null
}
