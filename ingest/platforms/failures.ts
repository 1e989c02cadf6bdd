import { AppError } from '../../contracts/errors.ts'
import { PlatformError } from '../../platforms/port.ts'
import { backoffMs } from './pace.ts'
import { NoRoom } from './poll-request.ts'
import type { Poll, PollOutcome } from './poll-rows.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** What is not there so often in a row is looked for once a week. */
const goneAfter = 3
/** What waits for the same instant does not begin at the same one. */
const spreadMs = 10_000

interface Now {
  readonly nowMs: number
  /** From 0 up to 1. */
  readonly random: () => number
}

/**
 * When a poll that failed is tried again. Nothing that only a person can mend is asked for more than once an hour, and an
 * account that must be linked again is not asked for at all until it is.
 */
export function outcomeOfFailure(
  poll: Pick<Poll, 'failures' | 'cursor'>,
  error: unknown,
  { nowMs, random }: Now,
): PollOutcome {
  const failures = poll.failures + 1
  const soonMs = nowMs + backoffMs(failures, random())
  const later = (nextPollAtMs: number, kind: string, message: string): PollOutcome => ({
    nextPollAtMs: Math.round(nextPollAtMs + spreadMs * random()),
    failures,
    error: { class: kind, message },
  })
  if (error instanceof NoRoom) return { ...later(error.retryAtMs, 'budget', error.message), failures: poll.failures }
  if (error instanceof AppError) return later(soonMs, 'store', error.message)
  if (!(error instanceof PlatformError)) return later(soonMs, 'internal', 'A run failed here: the log says why.')
  const told = (nextPollAtMs: number): PollOutcome => later(nextPollAtMs, error.class, error.message)
  switch (error.class) {
    case 'token':
    case 'grant':
    case 'client':
      return told(nowMs + hourMs)
    case 'permission':
      return told(nowMs + dayMs)
    case 'threshold':
      return { ...told(nowMs + dayMs), failures: 0 }
    case 'not_found':
      return told(nowMs + (failures < goneAfter ? dayMs : 7 * dayMs))
    case 'bad_request':
      // A cursor lives only so long; any other question would be wrong again.
      return poll.cursor === null ? told(nowMs + dayMs) : { ...told(nowMs + minuteMs), isCursorLost: true }
    case 'quota':
    case 'rate':
    case 'server':
    case 'network':
      // The budget knows until when nobody asks; who comes before is told there.
      return told(Math.max(soonMs, nowMs + (error.retryAfterMs ?? 0)))
  }
}
