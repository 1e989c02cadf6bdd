import type { z } from 'zod'
import type { Scope } from '../../contracts/api-keys.ts'
import type { ErrorCode } from '../../contracts/errors.ts'
import type { AuthScheme } from '../auth/authenticator.ts'
import type { ServerDeps } from '../deps.ts'
import type { SharedQuestion } from '../features/shared-answers.ts'
import { parseInput } from './parse-input.ts'
import { type Route, type RouteContext, route } from './route.ts'

/** Questions of one address whose text is remembered, and how long a text may be. */
const remembered = { questionsMax: 500, charsMax: 500 } as const

/**
 * Declares a read whose answer depends on its parameters alone, so that all callers share it. Machines ask in the same
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
  question(deps: ServerDeps, query: z.output<Q>, plan: { readonly hasIndicators: boolean }): SharedQuestion
}): Route {
  const asked = new WeakMap<ServerDeps, Map<string, SharedQuestion>>()
  const { question, mayIndicate, ...declared } = o
  const planOf = async (deps: ServerDeps, { principal }: RouteContext) => ({
    hasIndicators:
      mayIndicate === true && principal !== null && (await deps.usage.limitsOf(principal.userId)).premiumIndicators,
  })
  const answer = async (deps: ServerDeps, to: SharedQuestion) => ({ shared: await deps.answers.get(to) })
  const declaration = route({
    ...declared,
    method: 'get',
    hasEtag: true,
    handle: async (deps, { query }, context) => answer(deps, question(deps, query, await planOf(deps, context))),
  })
  return {
    ...declaration,
    async run(deps, raw, context) {
      const plan = await planOf(deps, context)
      const known = asked.get(deps) ?? new Map<string, SharedQuestion>()
      asked.set(deps, known)
      const key = `${plan.hasIndicators ? '+' : ''}${raw.address}`
      const found = known.get(key)
      if (found) return await answer(deps, found)
      const made = question(deps, parseInput(o.query, raw.query), plan)
      if (known.size >= remembered.questionsMax) known.clear()
      if (raw.address.length <= remembered.charsMax) known.set(key, made)
      return await answer(deps, made)
    },
  }
}
