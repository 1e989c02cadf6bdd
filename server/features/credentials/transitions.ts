import type { AccountStatus, CredentialStatus, LinkState } from '../../../contracts/platform-accounts.ts'

/** Which status may follow which. A status that follows itself is written again, with another reason. */
type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>

/** Saving again always begins anew. What was refused stays so until then; what was good is tried daily, and may turn out dead in use. */
export const credentialTransitions: Transitions<CredentialStatus> = {
  pending_validation: ['pending_validation', 'valid', 'invalid', 'inconclusive'],
  valid: ['pending_validation', 'valid', 'invalid'],
  invalid: ['pending_validation', 'invalid'],
  inconclusive: ['pending_validation', 'valid', 'invalid', 'inconclusive'],
}

/** Only linking connects. */
export const accountTransitions: Transitions<AccountStatus> = {
  connected: ['connected', 'needs_reauth', 'disconnected'],
  needs_reauth: ['connected', 'disconnected'],
  disconnected: ['connected'],
}

export const linkTransitions: Transitions<LinkState['status']> = {
  waiting: ['exchanging', 'failed'],
  exchanging: ['connected', 'failed'],
  connected: [],
  failed: [],
}

/** The statuses that `to` may follow: a condition of the statement that writes it. */
export function statusesBefore<S extends string>(transitions: Transitions<S>, to: NoInfer<S>): S[] {
  const found: S[] = []
  for (const from in transitions) if (transitions[from].includes(to)) found.push(from)
  return found
}
