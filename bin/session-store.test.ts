import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { packageRoot } from '../sql/read.ts'
import { createSessionStore, type KeychainEntry } from './session-store.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-sessions-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const session = { refreshToken: 'secret refresh token', email: 'ada@example.com' }
const store = (server = 'https://one.example', keychain: KeychainEntry | null = null) =>
  createSessionStore({ folder: join(folder, 'sessions'), server, keychain })

/** A keychain that works, or one that is locked. */
function keychain(isLocked = false): KeychainEntry & { kept: string | null } {
  const use = async <T>(work: () => T): Promise<T> => {
    if (isLocked) throw new Error('The keychain is locked.')
    return work()
  }
  const entry: KeychainEntry & { kept: string | null } = {
    kept: null,
    get: () => use(() => entry.kept),
    set: secret =>
      use(() => {
        entry.kept = secret
      }),
    delete: () =>
      use(() => {
        entry.kept = null
      }),
  }
  return entry
}

async function fileText(): Promise<string> {
  const names = (await readdir(join(folder, 'sessions')).catch(() => [])).filter(name => name.endsWith('.json'))
  return (await Promise.all(names.map(name => readFile(join(folder, 'sessions', name), 'utf8')))).join('')
}

it('keeps a session in a file that only its user can read, apart for each server', async () => {
  await store().save(session)
  expect(await store().load()).toEqual(session)
  expect(await store('https://two.example').load()).toBeNull()
  const [name = ''] = (await readdir(join(folder, 'sessions'))).filter(each => each.endsWith('.json'))
  expect((await stat(join(folder, 'sessions', name))).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'sessions'))).mode & 0o777).toBe(0o700)
  await store().clear()
  expect(await store().load()).toBeNull()
  expect(await fileText()).toBe('')
})

it('keeps it in the keychain where there is one, and in no file', async () => {
  const chain = keychain()
  await store().save({ ...session, refreshToken: 'from before the keychain' })
  await store('https://one.example', chain).save(session)
  expect(chain.kept).toContain('secret refresh token')
  expect(await fileText()).toBe('')
  expect(await store('https://one.example', chain).load()).toEqual(session)
  await store('https://one.example', chain).clear()
  expect(chain.kept).toBeNull()
})

it('takes the file when the keychain is locked', async () => {
  const locked = store('https://one.example', keychain(true))
  await locked.save(session)
  expect(await locked.load()).toEqual(session)
  expect(await fileText()).toContain('secret refresh token')
})

it('keeps a session for this run where nothing can be written', async () => {
  const nowhere = createSessionStore({ folder: '/dev/null/sessions', server: 'https://one.example', keychain: null })
  await nowhere.exclusively(() => nowhere.save(session))
  expect(await nowhere.load()).toEqual(session)
  await nowhere.clear()
  expect(await nowhere.load()).toBeNull()
})

it('counts a broken file as no session', async () => {
  const { writeFile, mkdir } = await import('node:fs/promises')
  await store().save(session)
  const [name = ''] = (await readdir(join(folder, 'sessions'))).filter(each => each.endsWith('.json'))
  for (const text of ['', '{', '[]', '{"refreshToken":1}']) {
    await mkdir(join(folder, 'sessions'), { recursive: true })
    await writeFile(join(folder, 'sessions', name), text)
    expect(await store().load()).toBeNull()
  }
})

it('lets one terminal work at a time, in one process and in several', async () => {
  const log: string[] = []
  const first = Promise.withResolvers<void>()
  const a = store().exclusively(async () => {
    log.push('a starts')
    await first.promise
    log.push('a ends')
  })
  const b = store().exclusively(async () => void log.push('b'))
  const script = `
    import { createSessionStore } from ${JSON.stringify(join(packageRoot, 'bin/session-store.ts'))}
    const store = createSessionStore({ folder: ${JSON.stringify(join(folder, 'sessions'))}, server: 'https://one.example', keychain: null })
    const kept = await store.exclusively(() => store.load())
    process.stdout.write(JSON.stringify(kept))`
  const child = promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', script])
  await store().save(session)
  first.resolve()
  await Promise.all([a, b])
  expect(log).toEqual(['a starts', 'a ends', 'b'])
  expect(JSON.parse((await child).stdout)).toEqual(session)
})

it('gives the lock back when the work fails', async () => {
  const one = store()
  await expect(one.exclusively(async () => Promise.reject(new Error('no network')))).rejects.toThrow('no network')
  expect(await one.exclusively(async () => 'goes on')).toBe('goes on')
})
