import type { ApiKey, ApiKeyRequest, NewApiKey } from '../contracts/api-keys.ts'
import { systemClock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { createKey, listKeys, revokeKey } from '../server/features/keys/service.ts'
import type { Caller } from '../server/http/caller.ts'
import type { Stores } from './compose/stores.ts'

/** The API keys of the local owner, for whoever may open the home. */
export interface OwnerKeys {
  list(): Promise<ApiKey[]>
  /** The answer holds the key, which is shown this once. */
  create(request: ApiKeyRequest): Promise<NewApiKey>
  /** @throws AppError NOT_FOUND */
  revoke(id: string): Promise<void>
}

export function ownerKeys({ db, bus, ownerId }: Pick<Stores, 'db' | 'bus' | 'ownerId'>, log: Log): OwnerKeys {
  const deps = { db, bus, clock: systemClock, log }
  const owner: Caller = {
    principal: { userId: ownerId, scheme: 'jwt', role: 'owner', scopes: 'all', credentialId: null },
    requestId: 'cliptape keys',
    address: null,
  }
  return {
    list: () => listKeys(deps, owner),
    create: request => createKey(deps, owner, request),
    revoke: id => revokeKey(deps, owner, id),
  }
}
