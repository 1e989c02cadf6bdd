import type { Authenticator } from './authenticator.ts'
import type { SessionStates } from './session-states.ts'
import type { SignedTokens } from './signed-token.ts'

/** Believes our own access tokens while their session goes on. The role is the user's present one, not the token's. */
export function sessionAuthenticator(tokens: SignedTokens, states: SessionStates): Authenticator {
  return {
    async authenticate(token, accepts) {
      if (!accepts.includes('jwt')) return null
      const claims = await tokens.readAccess(token)
      if (claims === null) return null
      const session = await states.live(claims.sessionId)
      if (session === null || session.userId !== claims.userId) return null
      return {
        userId: claims.userId,
        scheme: 'jwt',
        role: session.role,
        scopes: 'all',
        credentialId: claims.sessionId,
      }
    },
  }
}
