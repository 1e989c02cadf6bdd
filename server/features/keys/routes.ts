import { z } from 'zod'
import { ApiKeyRequestSchema, ApiKeySchema, NewApiKeySchema } from '../../../contracts/api-keys.ts'
import { type Route, route } from '../../http/route.ts'
import { createKey, keysMax, listKeys, revokeKey } from './service.ts'

/** Keys of machines. Only a person's session manages them: a stolen key cannot make another. */
export const keyRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/keys',
    summary: 'Your API keys',
    description: 'The good ones, then those that were revoked; the newest first. The keys themselves are kept nowhere.',
    auth: ['jwt'],
    answer: z.object({ data: z.array(ApiKeySchema) }),
    handle: async (deps, _input, context) => ({ json: { data: await listKeys(deps, context) } }),
  }),
  route({
    method: 'post',
    path: '/api/keys',
    summary: 'Make an API key',
    description: `\`key\` is shown this once. Send it as \`X-API-Key\` or \`Authorization: Bearer\`. At most ${keysMax} keys at a time. Scopes for others (integrations:write, databases:write, tools:execute) make a service key, which the owner and admins may have.`,
    auth: ['jwt'],
    status: 201,
    hasSecretAnswer: true,
    body: ApiKeyRequestSchema,
    answer: NewApiKeySchema,
    handle: async (deps, { body }, context) => ({ json: await createKey(deps, context, body) }),
  }),
  route({
    method: 'delete',
    path: '/api/keys/:keyId',
    summary: 'Revoke an API key',
    description: 'It is refused from then on, on every node within a second.',
    auth: ['jwt'],
    params: z.strictObject({ keyId: z.uuid() }),
    answer: null,
    async handle(deps, { params }, context) {
      await revokeKey(deps, context, params.keyId)
      return { empty: true }
    },
  }),
]
