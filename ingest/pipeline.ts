/**
 * What a step makes of one record. Steps never throw for bad data: what is not meant for us is dropped and counted, what
 * is broken goes to the dead letters with a sentence that says why.
 */
export type StepResult<T> =
  | { readonly type: 'ok'; readonly value: T }
  | { readonly type: 'drop'; readonly reason: string }
  | { readonly type: 'dlq'; readonly reason: string; readonly message: string }

/** The record is good. */
export const ok = <T>(value: T): StepResult<T> => ({ type: 'ok', value })
/** The record is whole but not for us; `reason` is a short snake_case word that is counted. */
export const drop = (reason: string): StepResult<never> => ({ type: 'drop', reason })
/** The record is broken: kept for a person. `message` is a sentence without the line number, which the caller knows. */
export const dlq = (reason: string, message: string): StepResult<never> => ({ type: 'dlq', reason, message })

/** Why a record is dead-lettered whose field `name` is beyond its range: the engine would take it silently. */
export function outOfRange(name: string): { reason: string; message: string } {
  return { reason: 'out_of_range', message: `The field ${name} of this record is out of its range.` }
}

/**
 * Counts records by what became of them: `read` is always accepted + dropped + dead-lettered. Reasons are a small
 * closed set per format.
 */
export class Tally {
  read = 0
  accepted = 0
  readonly dropped = new Map<string, number>()
  readonly deadLettered = new Map<string, number>()

  count(result: StepResult<unknown>): void {
    this.read++
    if (result.type === 'ok') this.accepted++
    else if (result.type === 'drop') add(this.dropped, result.reason)
    else add(this.deadLettered, result.reason)
  }
}

function add(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1)
}
