import type { BusEvents } from '../../contracts/bus.ts'
import type { KeyedRow, LiveQueryName } from '../../contracts/ws.ts'
import type { Principal } from '../auth/authenticator.ts'

/** Something that can have changed a result. Beside it the passing of time does: windows move. */
export type Change =
  | { kind: 'samples'; event: BusEvents['samples.written'] }
  | { kind: 'metadata'; world: string }
  | { kind: 'ownSamples'; world: string; userId: string }
  | { kind: 'niches' }
  | { kind: 'world' }
  | { kind: 'deadLetters' }
  | { kind: 'watchlists'; userId: string }
  | { kind: 'media'; userId: string }

/** A question with checked parameters, ready to be computed again and again. */
export interface LiveQuestion {
  /** Equal for equal questions: name, parameters in a canonical order, and the owner where the answer depends on one. */
  readonly key: string
  readonly name: LiveQueryName | 'sql'
  /** What it competes with for its turn: the other measures of the analytics store, users' SQL, or nothing heavy. */
  readonly lane: 'measures' | 'sql' | 'own'
  /** The shortest time between two computations in ms, where it is longer than everybody's. */
  readonly tickMs?: number
  /** How long an answer may stand now while nothing is written, in real ms; `null` when time changes nothing. */
  staleAfterMs(): number | null
  isTouchedBy(change: Change): boolean
  /**
   * `null`: the world that was looked at went away meanwhile, and what was read says nothing.
   * @param signal fires when nobody watches any more
   */
  compute(signal: AbortSignal): Promise<LiveAnswer | null>
}

export interface LiveAnswer {
  readonly columns: readonly string[]
  /** The engine's types, in the order of `columns`: of SQL only. */
  readonly columnTypes?: readonly string[]
  readonly rows: readonly KeyedRow[]
  readonly asOf: Date
}

/** What of somebody decides which questions they may ask, and what an answer tells them. */
export type Asker = Pick<Principal, 'userId' | 'role' | 'scopes' | 'isService'>

/**
 * Makes a question of a name and parameters as they came.
 * @param who asks
 * @throws AppError NOT_FOUND for an unknown name, BAD_REQUEST with a sentence that names the parameter, FORBIDDEN for a
 *   question about the installation unless its owner or an admin asks
 */
export type ParseQuestion = (name: string, params: Record<string, unknown>, who: Asker) => LiveQuestion
