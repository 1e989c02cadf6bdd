import type { TrendRow } from '../contracts/measures.ts'
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

/** Platforms whose own interface wants terms accepted before measures are made of its numbers. */
const platformsWithTerms = new Set(
  Object.entries(sourceClasses).flatMap(([prefix, { mayDerive }]) =>
    mayDerive ? [] : [prefix.replace(/^own:|-api.*$/g, '')],
  ),
)

/**
 * Whether a question about these platforms may meet videos of which no measure may be made (`video_terms_v1` holds them). One
 * that mixes platforms leaves them out with all that may not be mixed.
 */
export function meetsTerms(platforms: readonly string[]): boolean {
  return !isMixed(platforms) && platforms.some(platform => platformsWithTerms.has(platform))
}

const measures = ['gain', 'velocity', 'acceleration', 'engagement', 'outlier', 'outlierZ'] as const

/** The row as its source may be shown without its terms accepted: its counters, and of each measure what it would take. */
export function withoutMeasures<Row extends Omit<TrendRow, 'rank' | 'rankChange'>>(row: Row): Row {
  const missing = { ...row.missing }
  for (const name of measures) missing[name] = 'needs_amendment'
  const nulls = Object.fromEntries(measures.map(name => [name, null]))
  return { ...row, ...nulls, gainState: 'partial', engagementOver: [], missing }
}
