import { z } from 'zod'

/** Gives an access token that is good now. @throws SignInRequired when only a person can help */
export type TokenSource = () => Promise<string>

/** There is no session, or it has ended: somebody has to sign in. The message is a sentence. */
export class SignInRequired extends Error {
  override readonly name = 'SignInRequired'
}

/** The token of a terminal, asked for again only when it has to be. */
export interface AccessTokens {
  /** The present token; a source is asked once, however many ask at the same time. @throws what the source throws */
  get(): Promise<string>
  /** The server did not take this token: the next `get` asks for another one. */
  refuse(token: string): void
  /** Forgets the token, because somebody else may have signed in. */
  forget(): void
}

/** A token is renewed so long before it ends, or at half its life when that is later. */
const renewBeforeMs = 30_000

/**
 * Keeps the source's token until shortly before it ends, as the token itself says. Where the clock here cannot be right, a
 * whole life (`exp` − `iat`) is counted from now; a token that says nothing is kept until it is refused.
 */
export function cacheTokens(source: TokenSource, nowMs: () => number): AccessTokens {
  let kept: { token: string; untilMs: number } | null = null
  let asking: Promise<string> | null = null
  return {
    async get() {
      if (kept !== null && nowMs() < kept.untilMs) return kept.token
      asking ??= ask()
      return await asking
    },
    refuse(token) {
      if (kept?.token === token) kept = null
    },
    forget() {
      kept = null
      asking = null
    },
  }

  function ask(): Promise<string> {
    const mine = source()
      .then(token => {
        // Whoever forgot the token meanwhile does not want this one back.
        if (asking === mine) kept = { token, untilMs: nowMs() + keptMs(token, nowMs()) }
        return token
      })
      .finally(() => {
        if (asking === mine) asking = null
      })
    return mine
  }
}

const LifeSchema = z.object({ iat: z.number(), exp: z.number() })

function keptMs(token: string, nowMs: number): number {
  const life = LifeSchema.safeParse(claimsOf(token))
  if (!life.success) return Number.POSITIVE_INFINITY
  const wholeMs = (life.data.exp - life.data.iat) * 1000
  const restMs = life.data.exp * 1000 - nowMs
  const lifeMs = restMs > 0 && restMs < wholeMs ? restMs : wholeMs
  return Math.max(lifeMs - renewBeforeMs, lifeMs / 2)
}

/** The claims of a token in JWS compact form, unverified; null for any other. */
function claimsOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return null
  }
}
