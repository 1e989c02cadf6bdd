import { sourceClasses } from '../contracts/samples.ts'

/**
 * Which numbers may be mixed. A video that a source of another class has read is left out of mixed lists whole (its
 * rollups do not tell its sources apart): the table `unmixable_videos_v1` holds those. Counters of creators and topics
 * themselves carry their source and are taken or left one by one.
 */
const mixablePrefixes = Object.entries(sourceClasses).flatMap(([prefix, { mayMix }]) => (mayMix ? [prefix] : []))

/** Whether a question about these platforms mixes them. */
export function isMixed(platforms: readonly string[]): boolean {
  return platforms.length > 1
}

/** Beginnings of the sources' names that a question about these platforms may count; `['']` is all of them. */
export function sourcePrefixes(platforms: readonly string[]): string[] {
  return isMixed(platforms) ? mixablePrefixes : ['']
}
