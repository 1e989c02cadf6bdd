import type { BusEvents } from '../../contracts/bus.ts'
import { assertNever } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import type { ServerDeps } from '../deps.ts'
import type { Change } from './source.ts'

// What questions about public numbers have in common, whether they are asked once or watched.

/** Equal parameters in any order of writing give one text. */
export function canonical(params: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** What sets a question apart whose answer holds somebody's own numbers. */
export function ofOwner(owner: UserId | null): string {
  return owner === null ? '' : ` of ${owner}`
}

/**
 * Whether a change is about the numbers of the world that is looked at, and of those that a question reads.
 * @param owner whose media it also reads
 */
export function touching(
  deps: Pick<ServerDeps, 'world'>,
  isTouchedBy: (event: BusEvents['samples.written']) => boolean,
  owner: UserId | null = null,
): (change: Change) => boolean {
  return change => {
    switch (change.kind) {
      case 'samples':
        return change.event.world === deps.world.current().database && isTouchedBy(change.event)
      case 'metadata':
        return change.world === deps.world.current().database
      case 'niches':
      case 'world':
        return true
      case 'deadLetters':
      case 'ownSamples':
      case 'watchlists':
        return false
      case 'media':
        return change.userId === owner
      default:
        return assertNever(change)
    }
  }
}
