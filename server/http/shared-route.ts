import type { z } from 'zod'
import type { Scope } from '../../contracts/api-keys.ts'
import type { ErrorCode } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import type { AuthScheme } from '../auth/authenticator.ts'
import type { ServerDeps } from '../deps.ts'
import { clipperOwner } from '../features/copies/own-clippers.ts'
import type { SharedQuestion } from '../features/shared-answers.ts'
import { parseInput } from './parse-input.ts'
import { type Route, type RouteContext, route } from './route.ts'

/** Questions of one address whose text is remembered, and how long a text may be. */
const remembered = { questionsMax: 500, charsMax: 500 } as const

/** What an answer tells the one who asks beyond what it tells everybody. */
export interface Sight {
  readonly hasIndicators: boolean
  /** Whose clipper counts it holds; null: nobody's. */
  readonly clippersOf: UserId | null
}

/**
 * Declares a read whose answer depends on its parameters and what the caller may see, so that callers share it. Machines ask in the same
 * words again and again: a question that was asked in them before is not parsed anew.
 */
export function sharedRoute<Q extends z.ZodType>(o: {
  path: string
  summary: string
  description: string
  auth: readonly AuthScheme[]
  scope: Scope
  query: Q
  errors?: readonly ErrorCode[]
  answer: z.ZodType
  /** The answer has more for plans with premium indicators. */
  mayIndicate?: boolean
  /** The answer has more for those who have media of which copies are known. */
  countsClippers?: boolean
  question(deps: ServerDeps, query: z.output<Q>, sight: Sight): SharedQuestion
}): Route {
  const asked = new WeakMap<ServerDeps, Map<string, SharedQuestion>>()
  const { question, mayIndicate, countsClippers, ...declared } = o
  const sightOf = async (deps: ServerDeps, { principal }: RouteContext): Promise<Sight> => {
    const owner = countsClippers === true && principal !== null ? clipperOwner(principal) : null
    return {
      hasIndicators:
        mayIndicate === true && principal !== null && (await deps.usage.limitsOf(principal.userId)).premiumIndicators,
      clippersOf: owner !== null && (await deps.clippers.of(owner)) !== null ? owner : null,
    }
  }
  const answer = async (deps: ServerDeps, to: SharedQuestion) => ({ shared: await deps.answers.get(to) })
  const declaration = route({
    ...declared,
    method: 'get',
    hasEtag: true,
    handle: async (deps, { query }, context) => answer(deps, question(deps, query, await sightOf(deps, context))),
  })
  return {
    ...declaration,
    async run(deps, raw, context) {
      const sight = await sightOf(deps, context)
      const known = asked.get(deps) ?? new Map<string, SharedQuestion>()
      asked.set(deps, known)
      const key = `${sight.hasIndicators ? '+' : ''}${sight.clippersOf ?? ''}${raw.address}`
      const found = known.get(key)
      if (found) return await answer(deps, found)
      const made = question(deps, parseInput(o.query, raw.query), sight)
      if (known.size >= remembered.questionsMax) known.clear()
      if (raw.address.length <= remembered.charsMax) known.set(key, made)
      return await answer(deps, made)
    },
  }
}
