import { createHash, timingSafeEqual } from 'node:crypto'
import type { UserId } from '../contracts/ids.ts'
import type { Authenticator } from '../server/auth/authenticator.ts'

/** Believes one token, for rigs whose subject is not signing in: it stands for the owner's session and for their key. */
export function fixedAuthenticator(owner: { token: string; userId: UserId; endsAtMs?: number }): Authenticator {
  const expected = digest(owner.token)
  return {
    async authenticate(token, accepts) {
      const isOwner = timingSafeEqual(digest(token), expected)
      const scheme = accepts.find(name => name === 'jwt' || name === 'apiKey')
      if (!isOwner || !scheme) return null
      const { token: _, ...who } = owner
      return { ...who, scheme, role: 'owner', scopes: 'all', credentialId: null }
    },
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
