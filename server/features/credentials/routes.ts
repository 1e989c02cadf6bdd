import { z } from 'zod'
import { PlatformSchema } from '../../../contracts/ids.ts'
import {
  CredentialsChangeSchema,
  CredentialsRequestSchema,
  CredentialsSchema,
  SavedCredentialsSchema,
} from '../../../contracts/platform-accounts.ts'
import { credentialKinds } from '../../../platforms/port.ts'
import { type Route, route } from '../../http/route.ts'
import { changeCredentials, listCredentials, removeCredentials, saveCredentials } from './service.ts'

const PlatformParamsSchema = z.strictObject({ platform: PlatformSchema })

/** A user's own registration with each platform. Only a person's session sees to it. */
export const credentialRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/credentials/status',
    summary: 'The state of your developer credentials',
    description: 'Of the credentials themselves, never of a link; `reason` is what the platform said.',
    auth: ['jwt'],
    answer: z.array(CredentialsSchema),
    handle: async (deps, _input, context) => ({ json: await listCredentials(deps, context) }),
  }),
  route({
    method: 'post',
    path: '/api/credentials/:platform',
    summary: 'Save your developer credentials of a platform',
    description:
      "`client_id` is TikTok's `client_key`. They are tried at once; `needsReauth` lists accounts that were linked with another app. Those of the same kind are replaced.",
    auth: ['jwt'],
    status: 202,
    params: PlatformParamsSchema,
    body: CredentialsRequestSchema,
    errors: ['NOT_CONFIGURED'],
    answer: SavedCredentialsSchema,
    handle: async (deps, { params, body }, context) => ({
      json: await saveCredentials(deps, context, params.platform, body),
    }),
  }),
  route({
    method: 'patch',
    path: '/api/credentials/:platform',
    summary: 'Say whether you accepted the terms for derived metrics',
    description:
      'Of YouTube, for all your credentials or one `kind`. Once accepted, measures of what these credentials read are shown, and its numbers are kept for 36 months instead of 30 days.',
    auth: ['jwt'],
    params: PlatformParamsSchema,
    body: CredentialsChangeSchema,
    answer: z.array(CredentialsSchema),
    handle: async (deps, { params, body }, context) => ({
      json: await changeCredentials(deps, context, params.platform, body),
    }),
  }),
  route({
    method: 'delete',
    path: '/api/credentials/:platform',
    summary: 'Remove your developer credentials of a platform',
    description: 'All of them, or one `kind`. Accounts that were linked with them stop until they are linked again.',
    auth: ['jwt'],
    params: PlatformParamsSchema,
    query: z.strictObject({ kind: z.enum(credentialKinds).optional() }),
    answer: null,
    async handle(deps, { params, query }, context) {
      await removeCredentials(deps, context, { platform: params.platform, kind: query.kind })
      return { empty: true }
    },
  }),
]
