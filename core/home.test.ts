import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ensureSecrets, homePaths, isEmptyHome, prepareHome } from './home.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-home-'))
})
afterEach(() => rm(folder, { recursive: true }))

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

it('makes a home that only its owner can read, empty until a store lies in it', async () => {
  const paths = await prepareHome(join(folder, 'a', 'home'))
  expect(await modeOf(paths.root)).toBe(0o700)
  expect(isEmptyHome(paths)).toBe(true)
})

it('makes absent secrets once, and takes given ones as they are', async () => {
  const paths = await prepareHome(join(folder, 'home'))
  const first = await ensureSecrets(paths, { JWT_SECRET: null, VAULT_KEY: 'given' })
  const second = await ensureSecrets(paths, { JWT_SECRET: null, VAULT_KEY: null })
  expect(first.get('VAULT_KEY')).toBe('given')
  expect(first.get('JWT_SECRET')).toMatch(/^[\w-]{43}$/)
  expect(second.get('JWT_SECRET')).toBe(first.get('JWT_SECRET'))
  expect(await modeOf(join(paths.secrets, 'jwt-secret'))).toBe(0o600)
})

it('ends with one value when many make a secret at the same moment', async () => {
  const paths = await prepareHome(join(folder, 'home'))
  const all = await Promise.all(Array.from({ length: 20 }, () => ensureSecrets(paths, { JWT_SECRET: null })))
  const kept = await readFile(join(paths.secrets, 'jwt-secret'), 'utf8')
  for (const secrets of all) expect(secrets.get('JWT_SECRET')).toBe(kept)
})

it('keeps the socket of a home with a long path elsewhere, because a socket address is short', () => {
  expect(homePaths('/data/home').controlSocket).toBe('/data/home/control.sock')
  const long = homePaths(`/data/${'x'.repeat(120)}`).controlSocket
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(100)
  expect(long).not.toBe(homePaths(`/data/${'y'.repeat(120)}`).controlSocket)
})
