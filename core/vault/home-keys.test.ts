import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type HomePaths, prepareHome } from '../home.ts'
import { openHomeKeys } from './home-keys.ts'
import { masterKey } from './master-key.ts'

const given = { a: 'a'.repeat(43), b: 'b'.repeat(43) }
let paths: HomePaths
beforeEach(async () => {
  paths = await prepareHome(await mkdtemp(join(tmpdir(), 'cliptape-keys-')))
})
afterEach(() => rm(paths.root, { recursive: true }))

const openFile = () => openHomeKeys(paths, { key: null, previous: [] })
const filesOf = async () => (await readdir(paths.secrets)).sort()

it('makes a key of its own once, for this user alone', async () => {
  const first = await openFile()
  expect((await openFile()).keys.newest.id).toBe(first.keys.newest.id)
  expect(await filesOf()).toEqual(['vault-key'])
  expect((await stat(join(paths.secrets, 'vault-key'))).mode & 0o777).toBe(0o600)
})

it('reads both keys from the moment a change begins until it is finished, also after a start', async () => {
  const home = await openFile()
  const old = home.keys.newest
  await home.begin()
  const next = home.keys.newest
  expect(next.id).not.toBe(old.id)
  expect((await stat(join(paths.secrets, 'vault-key.next'))).mode & 0o777).toBe(0o600)

  const restarted = await openFile()
  expect(restarted.isRotating()).toBe(true)
  expect(restarted.keys.newest.id).toBe(next.id)
  expect(restarted.keys.byId(old.id)?.id).toBe(old.id)
  await restarted.begin()
  expect(restarted.keys.newest.id).toBe(next.id)

  await restarted.finish()
  const after = await openFile()
  expect(after.isRotating()).toBe(false)
  expect(after.keys.newest.id).toBe(next.id)
  expect(after.keys.byId(old.id)).toBeUndefined()
  expect(await filesOf()).toEqual(['vault-key'])
})

it('passes over a next key that was never written to its end', async () => {
  const { keys } = await openFile()
  await writeFile(join(paths.secrets, 'vault-key.next.0123456789ab'), 'hal')
  const again = await openFile()
  expect(again.isRotating()).toBe(false)
  expect(again.keys.newest.id).toBe(keys.newest.id)
})

it('takes the key of the configuration, and reads with earlier ones and with that of the home', async () => {
  const own = (await openFile()).keys.newest
  const { keys, isRotating } = await openHomeKeys(paths, { key: given.a, previous: [given.b] })
  expect(keys.newest.id).toBe(masterKey(given.a).id)
  expect([own.id, masterKey(given.b).id].map(id => keys.byId(id)?.id)).toEqual([own.id, masterKey(given.b).id])
  expect(isRotating()).toBe(false)
})

it('has nothing to change to when the configuration gives one key alone', async () => {
  const home = await openHomeKeys(paths, { key: given.a, previous: [] })
  await expect(home.begin()).rejects.toMatchObject({ code: 'NOT_CONFIGURED' })
})

it('has ids that do not give the key away', async () => {
  await openFile()
  const text = await readFile(join(paths.secrets, 'vault-key'), 'utf8')
  const { id, wrappingKey } = masterKey(text)
  expect(id).toMatch(/^[0-9a-f]{16}$/)
  expect(wrappingKey.export().toString('hex')).not.toContain(id)
})
