import {
  type BoardChange,
  BoardListSchema,
  type BoardRequest,
  type BoardSummary,
  type SavedBoard,
  SavedBoardSchema,
} from '../contracts/dashboards.ts'
import { systemClock } from '../core/clock.ts'
import { createSqlGate } from '../core/sql-gate/gate.ts'
import {
  changeDashboard,
  createDashboard,
  dashboardFile,
  listDashboards,
} from '../server/features/dashboards/service.ts'
import type { Caller } from '../server/http/caller.ts'
import type { Stores } from './compose/stores.ts'
import { failureOf } from './control-client.ts'

/** The boards of the local owner, for whoever may open the home. */
export interface OwnerBoards {
  list(): Promise<BoardSummary[]>
  /** @throws AppError NOT_FOUND */
  file(id: string): Promise<string>
  create(request: BoardRequest): Promise<SavedBoard>
  replace(id: string, change: BoardChange): Promise<SavedBoard>
}

/** Through the server that runs on the home, by its own address. */
export function boardsOfServer(server: { url: string; token: string }): OwnerBoards {
  const path = '/api/dashboards'
  const ask = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(server.url + address, {
      ...init,
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    })
    if (response.ok) return response
    throw failureOf(await response.text())
  }
  const send = async (method: 'POST' | 'PUT', address: string, request: BoardRequest | BoardChange) =>
    SavedBoardSchema.parse(await (await ask(address, { method, body: JSON.stringify(request) })).json())
  return {
    list: async () => BoardListSchema.parse(await (await ask(path)).json()).data,
    file: async id => (await ask(`${path}/${encodeURIComponent(id)}/file`)).text(),
    create: request => send('POST', path, request),
    replace: (id, request) => send('PUT', `${path}/${encodeURIComponent(id)}`, request),
  }
}

/** On the stores themselves, while no server runs. */
export async function boardsOfHome({
  db,
  store,
  ownerId,
}: Pick<Stores, 'db' | 'store' | 'ownerId'>): Promise<OwnerBoards> {
  const deps = { db, clock: systemClock, gate: await createSqlGate(store) }
  const owner: Caller = {
    principal: { userId: ownerId, scheme: 'jwt', role: 'owner', scopes: 'all', credentialId: null },
    requestId: 'cliptape dashboard',
    address: null,
  }
  return {
    list: () => listDashboards(deps, owner),
    file: id => dashboardFile(deps, owner, id),
    create: request => createDashboard(deps, owner, request),
    replace: (id, change) => changeDashboard(deps, owner, { id, change, ifMatch: undefined }),
  }
}
