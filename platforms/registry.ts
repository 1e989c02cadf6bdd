import type { CredentialKind, PlatformAuth, PlatformData } from './port.ts'

/** The clients, by the kind of developer credentials that they are used with. */
export interface PlatformRegistry {
  auth(kind: CredentialKind): PlatformAuth
  data(kind: CredentialKind): PlatformData
}
