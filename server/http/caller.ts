import type { Principal } from '../auth/authenticator.ts'

/** Who makes a request, and from where: what verbs check and the audit log keeps. */
export interface Caller {
  /** Null on an open route. */
  readonly principal: Principal | null
  readonly requestId: string
  /** The client's IP address, as far as the trusted proxies tell; null when unknown. */
  readonly address: string | null
}
