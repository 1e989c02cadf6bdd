import { z } from 'zod'
import { type WorldDatabase, worldDatabases } from '../../../core/world.ts'
import { freshMemory, type Observation, type RuleMemory } from './step-rule.ts'

/** What is kept of a rule between evaluations, with the numbers that it is about. */
const StoredMemorySchema = z.object({
  raised: z.array(z.string()).catch([]),
  inside: z.array(z.string()).nullable().catch(null),
  firedAtMs: z.number().nullable().catch(null),
  world: z.enum(worldDatabases).nullable().catch(null),
  /** Data time of the evaluation before. */
  atMs: z.number().catch(0),
  /** What was read now and then, where the past cannot be asked for: instants with values by key. */
  past: z.array(z.tuple([z.number(), z.record(z.string(), z.number())])).catch([]),
})
export type StoredMemory = z.infer<typeof StoredMemorySchema>

/** Moments of the past that are remembered within the span of a change, and rows of each. */
const pastMax = { moments: 24, rows: 100 } as const

/** What a rule remembers, of whichever numbers. */
export function readMemory(stored: unknown): StoredMemory {
  return StoredMemorySchema.parse(stored)
}

/**
 * What is remembered, as far as it is about the numbers that are looked at now: those of another world, or of a time that
 * has been turned back (a replay that starts again), say nothing.
 */
export function memoryFor(stored: unknown, world: WorldDatabase, atMs: number): StoredMemory {
  const known = readMemory(stored)
  if (known.world === world && known.atMs <= atMs) return known
  return { ...freshMemory, raised: [], inside: null, world, atMs, past: [] }
}

/** What is kept for the next evaluation. */
export function rememberedAs(known: StoredMemory, step: RuleMemory, atMs: number): StoredMemory {
  return {
    ...known,
    raised: [...step.raised],
    inside: step.inside === null ? null : [...step.inside],
    firedAtMs: step.firedAtMs,
    atMs,
  }
}

/** The readings with what they were `overMs` ago, as it was remembered; none before that much has been seen. */
export function withRemembered(known: StoredMemory, observation: Observation, overMs: number): Observation {
  const atMs = observation.at.getTime()
  const [, then] = known.past.findLast(([pastMs]) => pastMs <= atMs - overMs) ?? []
  return {
    at: observation.at,
    readings: observation.readings.map(row => ({ ...row, before: then?.[row.key] ?? null })),
  }
}

/** Remembers what was read, some moments within the span and the last one before it. */
export function withPast(known: StoredMemory, { at, readings }: Observation, overMs: number): StoredMemory {
  const atMs = at.getTime()
  const [lastMs] = known.past.at(-1) ?? []
  if (lastMs !== undefined && atMs - lastMs < overMs / pastMax.moments) return known
  const values = readings.slice(0, pastMax.rows).flatMap(({ key, value }) => (value === null ? [] : [[key, value]]))
  const past: StoredMemory['past'] = [...known.past, [atMs, Object.fromEntries(values)]]
  const needed = past.findLastIndex(([pastMs]) => pastMs <= atMs - overMs)
  return { ...known, past: past.slice(Math.max(0, needed)) }
}
