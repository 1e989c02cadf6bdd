import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import { operatorRoles } from '../../auth/authenticator.ts'
import type { ServerDeps } from '../../deps.ts'
import { type Route, route } from '../../http/route.ts'

const NameSchema = z.object({ message: z.string(), name: z.string(), version: z.string(), status: z.string() })
const HealthSchema = z.object({ status: z.literal('ok') })
const ReadySchema = z.object({
  status: z.literal('ready'),
  stores: z.record(z.string(), z.literal('ok')),
  /** What decodes media: an ffmpeg program, FFmpeg's libraries, or nothing: then only cuts at keyframes work. */
  capabilities: z.object({ decode: z.enum(['ffmpeg', 'node-av', 'off']) }),
})

/** A store that takes longer than this to say hello is not ready. */
const pingMsMax = 2000

/** Who we are and whether we work. Only `/metrics` needs a token: how much is watched is the operator's affair. */
export const systemRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/',
    summary: 'Name, version and status',
    auth: 'open',
    answer: NameSchema,
    handle: async deps => ({
      json: {
        message: 'Cliptape: the terminal for viral clips. /docs lists what can be asked here.',
        name: 'cliptape',
        version: deps.version,
        status: 'ok',
      },
    }),
  }),
  route({
    method: 'get',
    path: '/healthz',
    summary: 'Whether the process is alive',
    auth: 'open',
    answer: HealthSchema,
    handle: async () => ({ json: { status: 'ok' } }),
  }),
  route({
    method: 'get',
    path: '/readyz',
    summary: 'Whether the stores answer, and what decodes media',
    description: '503 with the store that does not answer in `details.stores` otherwise.',
    auth: 'open',
    answer: ReadySchema,
    handle: async deps => {
      const stores = await pingStores(deps)
      const engine = await deps.media.engine()
      return { json: { status: 'ready', stores, capabilities: { decode: engine?.kind ?? 'off' } } }
    },
  }),
  route({
    method: 'get',
    path: '/metrics',
    summary: 'Counters for Prometheus',
    description: 'Prometheus text format 0.0.4, for the owner and admins; scrape it with a key of theirs.',
    auth: ['jwt', 'apiKey'],
    roles: operatorRoles,
    answer: { contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    handle: async deps => ({ body: deps.metrics.render(), contentType: 'text/plain; version=0.0.4; charset=utf-8' }),
  }),
]

async function pingStores(deps: ServerDeps): Promise<Record<string, 'ok' | 'down'>> {
  const [relational, analytics] = await Promise.all([answers(() => deps.db.ping()), answers(() => deps.store.ping())])
  const stores = { relational, analytics }
  if (relational === 'ok' && analytics === 'ok') return stores
  const down = Object.entries(stores)
    .filter(([, state]) => state === 'down')
    .map(([name]) => name)
  throw new AppError('UNAVAILABLE', `Not ready: the ${down.join(' and the ')} store does not answer.`, {
    details: { stores },
  })
}

async function answers(ping: () => Promise<void>): Promise<'ok' | 'down'> {
  const { promise: late, resolve } = Promise.withResolvers<'down'>()
  const timer = setTimeout(() => resolve('down'), pingMsMax)
  const answered = ping().then(
    () => 'ok' as const,
    () => 'down' as const,
  )
  const state = await Promise.race([answered, late])
  clearTimeout(timer)
  return state
}
