import type { roles } from '../../contracts/accounts.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'

/** How long a node may believe what it read: an ended session is refused within a second even when the bus was silent. */
const believedMs = 900
const entriesMax = 50_000

/** What a session that goes on says of its user now. */
interface LiveSession {
  readonly userId: string
  readonly role: (typeof roles)[number]
}

/**
 * Whether sessions still go on. The bus tells of ended ones at once; without it an answer is asked for again after less
 * than a second. One question at a time per session, however many requests wait for it.
 */
export interface SessionStates {
  /** Null when the session has ended, or its user is gone. */
  live(sessionId: string): Promise<LiveSession | null>
  close(): Promise<void>
}

export async function openSessionStates(deps: { db: Db; bus: Bus; clock: Clock }): Promise<SessionStates> {
  const { db, bus, clock } = deps
  const known = new Map<string, { atMs: number; state: Promise<LiveSession | null> }>()
  const unsubscribe = await bus.subscribe('session.ended', ({ sessionId }) => {
    if (sessionId === null) known.clear()
    else known.delete(sessionId)
  })
  return {
    async live(sessionId) {
      const nowMs = clock.nowMs()
      const found = known.get(sessionId)
      if (found && Math.abs(nowMs - found.atMs) < believedMs) return await found.state
      if (known.size >= entriesMax) known.clear()
      const state = read(db, sessionId, nowMs)
      const entry = { atMs: nowMs, state }
      known.set(sessionId, entry)
      // A failure is not kept: the next request asks again.
      state.catch(() => known.get(sessionId) === entry && known.delete(sessionId))
      return await state
    },
    close: unsubscribe,
  }
}

/** Which of these sessions somebody has ended, or whose user is gone. One that ran out by itself is not among them. */
export async function endedAmong(
  db: Db,
  sessions: readonly { readonly sessionId: string; readonly userId: string }[],
): Promise<ReadonlySet<string>> {
  const [ended, users] = await Promise.all([
    db.system
      .selectFrom('sessions')
      .select('id')
      .where(
        'id',
        'in',
        sessions.map(one => one.sessionId),
      )
      .where('ended_at', 'is not', null)
      .execute(),
    db.system
      .selectFrom('users')
      .select('id')
      .where('id', 'in', [...new Set(sessions.map(one => one.userId))])
      .execute(),
  ])
  const known = new Set(users.map(row => row.id))
  const gone = sessions.filter(one => !known.has(one.userId)).map(one => one.sessionId)
  return new Set([...ended.map(row => row.id), ...gone])
}

async function read(db: Db, sessionId: string, nowMs: number): Promise<LiveSession | null> {
  const row = await db.system
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['sessions.user_id', 'users.role'])
    .where('sessions.id', '=', sessionId)
    .where('sessions.ended_at', 'is', null)
    .where('sessions.expires_at', '>', new Date(nowMs))
    .executeTakeFirst()
  return row ? { userId: row.user_id, role: row.role } : null
}
