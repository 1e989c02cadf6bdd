import type { Selectable } from 'kysely'
import type { Database } from '../../../core/db/schema.ts'

/** One piece of work, as its table has it. */
export type MediaJobRow = Selectable<Database['media_jobs']>
type MediaJobState = MediaJobRow['status']

/** Which state may follow which; `running` follows itself when a worker died and another takes over. */
export const jobTransitions: Readonly<Record<MediaJobState, readonly MediaJobState[]>> = {
  queued: ['running', 'cancelled'],
  running: ['running', 'queued', 'done', 'failed', 'cancelled'],
  done: ['expired'],
  failed: [],
  cancelled: [],
  expired: [],
}
