import express, { Router } from 'express'
import { z } from 'zod'
import type { FaultRule } from './faults.ts'
import type { Limits } from './quotas.ts'
import type { SandboxControls } from './sandbox.ts'
import type { Quirks } from './state.ts'

const part = z.number().min(0).max(1)

const FaultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('latency'), ms: z.number().int().min(0).max(600_000) }),
  z.object({ kind: z.literal('status'), status: z.number().int().min(400).max(599), html: z.boolean().default(false) }),
  z.object({ kind: z.literal('reset') }),
  z.object({ kind: z.literal('truncate') }),
  z.object({ kind: z.literal('cut') }),
  z.object({ kind: z.literal('duplicate') }),
  z.object({ kind: z.literal('counters'), factor: z.number().min(0).max(1000) }),
  z.object({ kind: z.literal('odd'), value: z.string().max(100) }),
  z.object({ kind: z.literal('rate'), retryAfter: z.string().max(100).nullable() }),
  z.object({ kind: z.literal('error'), name: z.string().max(100), status: z.number().int().optional() }),
  z.object({ kind: z.literal('empty') }),
])

const FaultRuleSchema = z.object({
  endpoint: z.string().min(1).max(200),
  fault: FaultSchema,
  /** Absent is once, null is for ever. */
  times: z.number().int().min(1).nullable().optional(),
  part: part.optional(),
})

const consentSchema = z
  .object({
    decision: z.enum(['allow', 'deny']),
    accountId: z.string().optional(),
    scopes: z.array(z.string()).optional(),
  })
  .nullable()

/**
 * The controls by HTTP, for a sandbox in a process of its own: `GET /_sandbox` says how it stands, what is posted under it
 * changes that.
 */
export function controlRoutes(controls: SandboxControls, moveClock: (ms: number) => void): Router {
  const router = Router()
  router.use(express.json())
  router.get('/', (_request, response) => {
    response.json({
      apps: controls.apps,
      usedToday: controls.usedToday(),
      limits: controls.limits,
      quirks: controls.quirks,
      requests: controls.requests.slice(-100),
    })
  })
  const post = <T>(path: string, schema: z.ZodType<T>, work: (body: T) => void) =>
    router.post(path, (request, response) => {
      const body = schema.safeParse(request.body ?? {})
      if (!body.success) return void response.status(400).json({ error: z.prettifyError(body.error) })
      work(body.data)
      response.json({ done: true })
    })
  const nothing = z.object({})
  post('/faults', FaultRuleSchema, rule => void controls.addFault(ruleOf(rule)))
  post('/faults/clear', nothing, () => controls.clearFaults())
  post('/weather', z.object({ part }), body => controls.addWeather(body.part))
  post('/revoke-all', nothing, () => controls.revokeAll())
  post('/kill-access-tokens', nothing, () => controls.killAccessTokens())
  post('/quotas/clear', nothing, () => controls.clearQuotas())
  post('/limits', LimitsSchema, body => {
    Object.assign(controls.limits, body)
  })
  post('/quirks', QuirksSchema, body => {
    Object.assign(controls.quirks, body)
  })
  post(
    '/consent',
    z.object({ family: z.enum(['google', 'tiktok', 'instagram', 'facebook']), consent: consentSchema }),
    ({ family, consent }) => {
      if (consent === null) return controls.autoConsent(family, null)
      const { decision, accountId, scopes } = consent
      controls.autoConsent(family, {
        decision,
        ...(accountId === undefined ? {} : { accountId }),
        ...(scopes === undefined ? {} : { scopes }),
      })
    },
  )
  post('/remove', z.object({ id: z.string(), fromMs: z.number().int() }), ({ id, fromMs }) =>
    controls.world.remove(id, fromMs),
  )
  post('/hide', z.object({ id: z.string(), privacy: z.enum(['public', 'unlisted', 'private']) }), ({ id, privacy }) =>
    controls.world.hide(id, privacy),
  )
  post('/clock/advance', z.object({ ms: z.number().int().min(0) }), ({ ms }) => moveClock(ms))
  return router
}

const QuirksSchema = z
  .object({
    instagramTokenShape: z.enum(['wrapped', 'flat', 'flat_list']),
    tiktokOauthStatus: z.union([z.literal(200), z.literal(400), z.literal(401)]),
    tiktokErrorsWith200: z.boolean(),
    tiktokScopes: z.enum(['refuse', 'drop']),
    youtubeSummary: z.boolean(),
    instagramEmptyInsights: z.boolean(),
  } satisfies Record<keyof Quirks, z.ZodType>)
  .partial()

const most = z.number().int().min(0)

const LimitsSchema = z
  .object({
    youtubeUnits: most,
    youtubeSearch: most,
    youtubeStats: most,
    tiktokPerMinute: most,
    instagramPerDay: most,
    metaPerHour: most,
    hashtagsPerWeek: most,
  } satisfies Record<keyof Limits, z.ZodType>)
  .partial()

function ruleOf(rule: z.infer<typeof FaultRuleSchema>): FaultRule {
  const { endpoint, fault, times, part: share } = rule
  const { kind } = fault
  return {
    endpoint,
    fault:
      kind === 'error'
        ? { kind, name: fault.name, ...(fault.status === undefined ? {} : { status: fault.status }) }
        : fault,
    ...(times === undefined ? {} : { times: times ?? Number.POSITIVE_INFINITY }),
    ...(share === undefined ? {} : { part: share }),
  }
}
