import { Refusal } from './exchange.ts'
import type { GraphField } from './masks.ts'
import { refusalOf } from './refusals.ts'
import type { SandboxState } from './state.ts'
import type { Creator } from './world.ts'

/** What a node of the Graph API can tell, by field; undefined is left out. */
export type Values = Readonly<Record<string, (field: GraphField) => unknown>>

/** A refusal by its code, e.g. `100/33`. */
export function refused(name: string, message?: string): Refusal {
  return new Refusal(refusalOf('graph', name, message))
}

/** What is asked of a node. @throws Refusal for a name that the node has not */
export function render(fields: readonly GraphField[], values: Values): Record<string, unknown> {
  const rendered: Record<string, unknown> = {}
  for (const field of fields) {
    const make = Object.hasOwn(values, field.name) ? values[field.name] : undefined
    if (make === undefined) throw refused('100', `(#100) Tried accessing nonexisting field (${field.name})`)
    const value = make(field)
    if (value !== undefined) rendered[field.name] = value
  }
  const id = values.id?.({ name: 'id', args: new Map(), under: [] })
  return id === undefined ? rendered : { ...rendered, id }
}

/** What is public of a professional account. */
export function profileValues(state: SandboxState, creator: Creator, nowMs: number): Values {
  const counters = () => state.world.creatorCounters(creator, nowMs)
  return {
    id: () => creator.id,
    ig_id: () => creator.otherId,
    username: () => creator.handle,
    name: () => creator.name,
    biography: () => creator.description,
    profile_picture_url: () => `https://scontent.cdninstagram.com/sandbox/${creator.handle}.jpg`,
    followers_count: () => counters().followers,
    follows_count: () => 100 + creator.index,
    media_count: () => counters().posts,
    website: () => 'https://example.com/',
  }
}
