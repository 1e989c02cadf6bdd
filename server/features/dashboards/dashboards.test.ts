import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SessionSchema } from '../../../contracts/accounts.ts'
import { type BoardInput, BoardListSchema, SavedBoardSchema } from '../../../contracts/dashboards.ts'
import { openServerRig, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { builtInBoards } from './built-in.ts'

let rig: ServerRig
let server: RunningServer
let strangerToken: string

beforeAll(async () => {
  rig = await openServerRig()
  server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
  const answer = await fetch(`${server.url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'stranger@example.com', password: 'a password of a stranger' }),
  })
  strangerToken = SessionSchema.parse(await answer.json()).access_token
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

interface Asked {
  body?: unknown
  token?: string
  ifMatch?: string
}

async function call(method: string, path: string, { body, token = rigToken, ifMatch }: Asked = {}) {
  const response = await fetch(`${server.url}/api/dashboards${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
  return { status: response.status, etag: response.headers.get('etag'), text, json: isJson ? JSON.parse(text) : null }
}

const board: BoardInput = {
  name: 'Mine',
  panels: [
    {
      id: 'readings',
      title: 'Readings',
      kind: 'number',
      at: { x: 0, y: 0, width: 4, height: 2 },
      source: { sql: 'SELECT count() AS readings FROM v.samples' },
      options: { value: 'readings' },
    },
  ],
}

async function saved(part: Partial<BoardInput> = {}, visibility = 'private') {
  const made = await call('POST', '', { body: { board: { ...board, ...part }, visibility } })
  expect([made.status, made.etag]).toEqual([201, '"1"'])
  return SavedBoardSchema.parse(made.json)
}

describe('a dashboard', () => {
  it('is saved, read, replaced under its version, and deleted, each with a line in the audit log', async () => {
    const { id } = await saved()
    expect((await call('GET', `/${id}`)).json).toMatchObject({ id, version: 1, isOwn: true, board: { name: 'Mine' } })
    const renamed = { ...board, name: 'Ours' }
    const put = await call('PUT', `/${id}`, { body: { board: renamed, visibility: 'shared' }, ifMatch: '"1"' })
    expect([put.status, put.etag, put.json.visibility]).toEqual([200, '"2"', 'shared'])
    const late = await call('PUT', `/${id}`, { body: { board }, ifMatch: '"1"' })
    expect([late.status, late.json.error.code]).toEqual([412, 'PRECONDITION_FAILED'])
    expect((await call('DELETE', `/${id}`, { ifMatch: '"1"' })).status).toBe(412)
    expect((await call('DELETE', `/${id}`)).status).toBe(204)
    expect((await call('GET', `/${id}`)).status).toBe(404)
    const audit = await rig.db.system
      .selectFrom('audit_log')
      .select('action')
      .where('target', '=', `dashboard:${id}`)
      .execute()
    expect(audit.map(({ action }) => action)).toEqual(['dashboard.created', 'dashboard.changed', 'dashboard.deleted'])
  })

  it('is for its owner, for all who have its id, or in the list of all; nobody else changes it', async () => {
    const ids = {
      private: (await saved({ name: 'One' }, 'private')).id,
      shared: (await saved({ name: 'Two' }, 'shared')).id,
      public: (await saved({ name: 'Three' }, 'public')).id,
    }
    const token = strangerToken
    const statuses = await Promise.all(
      Object.values(ids).map(async id => (await call('GET', `/${id}`, { token })).status),
    )
    expect(statuses).toEqual([404, 200, 200])
    const listed = BoardListSchema.parse((await call('GET', '', { token })).json).data
    expect(listed.filter(({ visibility }) => visibility !== 'builtIn').map(({ id, isOwn }) => [id, isOwn])).toEqual([
      [ids.public, false],
    ])
    for (const id of Object.values(ids)) {
      expect((await call('PUT', `/${id}`, { body: { board }, token })).status).toBe(404)
      expect((await call('DELETE', `/${id}`, { token })).status).toBe(404)
    }
  })

  it('keeps the comments of its file, also when it is changed otherwise', async () => {
    const file = [
      '# Mine alone.',
      'name: Filed',
      'panels:',
      '  - id: world',
      '    title: World',
      '    kind: log',
      '    at: { x: 0, y: 0, width: 12, height: 2 }',
      '    source: { query: world }',
      '    options: { text: [ notice ] } # in plain words',
      '',
    ].join('\n')
    const made = await call('POST', '', { body: { file } })
    expect(made.status).toBe(201)
    const { id, board: read } = SavedBoardSchema.parse(made.json)
    expect((await call('GET', `/${id}/file`)).text).toBe(file)
    await call('PUT', `/${id}`, { body: { board: { ...read, name: 'Refiled' } } })
    expect((await call('GET', `/${id}/file`)).text).toBe(file.replace('Filed', 'Refiled'))
  })

  it('is copied with its comments, and shared without a word of it being said again', async () => {
    const copied = await call('POST', '', { body: { copyOf: 'clip-desk', name: 'My desk' } })
    expect(copied.status).toBe(201)
    const { id } = SavedBoardSchema.parse(copied.json)
    const file = (await call('GET', `/${id}/file`)).text
    expect(file).toContain('# For those who cut')
    const shared = await call('PUT', `/${id}`, { body: { visibility: 'shared' } })
    expect([shared.status, shared.json.visibility, shared.json.board.name]).toEqual([200, 'shared', 'My desk'])
    expect((await call('GET', `/${id}/file`)).text).toBe(file)
    const mine = await saved()
    const stolen = { body: { copyOf: mine.id, name: 'Theirs' }, token: strangerToken }
    expect((await call('POST', '', stolen)).status).toBe(404)
  })

  it('is refused with the panel and the field, also for SQL that can never run', async () => {
    const broken = { ...board, panels: [{ ...board.panels[0], options: { value: 7 } }] }
    expect((await call('POST', '', { body: { board: broken } })).json.error).toMatchObject({
      code: 'BAD_REQUEST',
      message: 'Panel readings: options.value must be one text.',
    })
    const hostile = { ...board, panels: [{ ...board.panels[0], source: { sql: "SELECT * FROM file('/etc/passwd')" } }] }
    const refused = (await call('POST', '', { body: { board: hostile } })).json.error
    expect(refused.code).toBe('QUERY_REFUSED')
    expect(refused.message).toMatch(/^Panel readings: /)
    expect((await call('POST', '', { body: {} })).status).toBe(400)
  })
})

describe('the boards that come with Cliptape', () => {
  it('are listed last, read by name, and changed by nobody', async () => {
    const listed = BoardListSchema.parse((await call('GET', '')).json).data
    expect(listed.slice(-6).map(({ id }) => id)).toEqual(builtInBoards().map(({ name }) => name))
    expect((await call('GET', '/clip-desk')).json).toMatchObject({ visibility: 'builtIn', isOwn: false })
    expect((await call('PUT', '/clip-desk', { body: { board } })).status).toBe(403)
    expect((await call('DELETE', '/clip-desk')).status).toBe(403)
    expect((await call('GET', '/no-such-board')).status).toBe(404)
  })

  it('hold no SQL that the gate refuses', async () => {
    for (const { file } of builtInBoards()) expect((await call('POST', '', { body: { file } })).status).toBe(201)
  })
})
