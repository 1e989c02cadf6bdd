import type { UserId } from '../../../contracts/ids.ts'
import type { CallCost } from '../../../platforms/port.ts'

/** Counts a call against the limits of an account's credentials; false when there is nothing left, and nothing is asked. */
export type Spend = (o: {
  readonly ownerId: UserId
  /** The vault id of the developer credentials. */
  readonly credentialKey: string
  readonly platformAccountId: string
  readonly cost: CallCost
}) => Promise<boolean>
