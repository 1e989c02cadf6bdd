import { z } from 'zod'
import { DeadLetterRowSchema, OpsRowSchema } from '../../../contracts/ws.ts'
import { operatorRoles } from '../../auth/authenticator.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'

const WhichSchema = z.union([
  z.strictObject({ ids: z.array(z.uuid()).min(1).max(200) }),
  z.strictObject({ all: z.literal(true) }),
])

/** What runs and how, and the records that could not be read. */
export const opsRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/ops',
    summary: 'Sources, rates, queues and stores',
    description: 'For the owner and admins: it tells of the whole installation.',
    auth: ['jwt'],
    roles: operatorRoles,
    answer: z.object({ data: z.array(OpsRowSchema) }),
    handle: async deps => ({ json: { data: await deps.ops() } }),
  }),
  route({
    method: 'get',
    path: '/api/ops/dead-letters',
    summary: 'Records that could not be read',
    description: 'The newest 200, with the reason and the start of each record.',
    auth: ['jwt'],
    answer: z.object({ data: z.array(DeadLetterRowSchema) }),
    handle: async (deps, _input, context) => ({ json: { data: await deps.deadLetters.list(ownerOf(context)) } }),
  }),
  route({
    method: 'post',
    path: '/api/ops/dead-letters/replay',
    summary: 'Read dead letters again',
    description: 'By `ids`, or `all` that are kept. Those that are still not readable stay.',
    auth: ['jwt'],
    body: WhichSchema,
    errors: ['NOT_FOUND'],
    answer: z.object({ replayed: z.number().int(), kept: z.number().int() }),
    handle: async (deps, { body }, context) => ({
      json: await deps.deadLetters.replay(ownerOf(context), 'ids' in body ? body.ids : 'all'),
    }),
  }),
  route({
    method: 'post',
    path: '/api/ops/dead-letters/discard',
    summary: 'Give dead letters up',
    description: 'By `ids`, or `all` that are kept. They stay on record as discarded.',
    auth: ['jwt'],
    body: WhichSchema,
    errors: ['NOT_FOUND'],
    answer: z.object({ discarded: z.number().int() }),
    handle: async (deps, { body }, context) => ({
      json: await deps.deadLetters.discard(ownerOf(context), 'ids' in body ? body.ids : 'all'),
    }),
  }),
]
