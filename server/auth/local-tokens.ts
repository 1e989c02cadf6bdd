import type { UserId } from '../../contracts/ids.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import { recordAudit } from '../features/audit/record.ts'
import { startBareSession } from './sessions.ts'
import { accessTokenMs, type SignedTokens } from './signed-token.ts'

/** A token is given out until it has this long to live. */
const renewBeforeMs = 2 * 60_000

/**
 * Access tokens of the local owner. Only what has the home's control socket gets them: who may open it is the owner,
 * so nothing is asked.
 */
export interface LocalTokens {
  /** A new token, with a session of its own that ends with it. @param lifeMs at most 24 hours */
  issue(lifeMs: number): Promise<string>
  /**
   * A token that is good for two minutes at least: the same one again until it is nearly over. Not in the audit log: the
   * terminal asks for one all day.
   */
  present(): Promise<string>
}

export function createLocalTokens(deps: { db: Db; clock: Clock; tokens: SignedTokens; ownerId: UserId }): LocalTokens {
  const { db, clock, tokens, ownerId } = deps
  let kept: { token: Promise<string>; endsAtMs: number } | null = null
  const make = async (lifeMs: number, isAskedFor: boolean): Promise<string> => {
    const nowMs = clock.nowMs()
    const sessionId = await db.transaction(async trx => {
      const id = await startBareSession(trx, { userId: ownerId, nowMs, lifeMs })
      if (!isAskedFor) return id
      await recordAudit(trx, ownerId, null, {
        action: 'session.started',
        target: `session:${id}`,
        details: { through: 'control socket', lifeMs },
      })
      return id
    })
    return await tokens.signAccess({ userId: ownerId, sessionId, role: 'owner' }, lifeMs)
  }
  return {
    issue: lifeMs => make(lifeMs, true),
    present() {
      const nowMs = clock.nowMs()
      if (kept && kept.endsAtMs - nowMs > renewBeforeMs) return kept.token
      const entry = { token: make(accessTokenMs, false), endsAtMs: nowMs + accessTokenMs }
      kept = entry
      entry.token.catch(() => {
        if (kept === entry) kept = null
      })
      return entry.token
    },
  }
}
