import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserIdSchema } from '../../contracts/ids.ts'
import { localOwnerAuthenticator } from './authenticator.ts'
import { ensureOwnerToken } from './local-owner.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'owner-'))
})
afterEach(() => rm(home, { recursive: true }))

describe("the owner's token", () => {
  it('is made once, for its owner alone, and found again by whoever asks', async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => ensureOwnerToken(home)))
    expect(new Set([...tokens, await ensureOwnerToken(home)]).size).toBe(1)
    expect(tokens[0]).toMatch(/^[A-Za-z0-9_-]{43}$/)
    const path = join(home, 'owner-token')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toBe(`${tokens[0]}\n`)
  })

  it('is not made of a file that holds something else', async () => {
    await writeFile(join(home, 'owner-token'), 'short')
    await expect(ensureOwnerToken(home)).rejects.toThrow('holds no token')
  })

  it('opens what takes a session or a key, and nothing for a connector', async () => {
    const userId = UserIdSchema.parse('00000000-0000-4000-8000-000000000001')
    const auth = localOwnerAuthenticator({ token: 'secret', userId })
    const owner = { userId, role: 'owner', scopes: 'all', credentialId: null }
    expect(await auth.authenticate('secret', ['jwt'])).toEqual({ ...owner, scheme: 'jwt' })
    expect(await auth.authenticate('secret', ['connectorToken', 'apiKey'])).toEqual({ ...owner, scheme: 'apiKey' })
    expect(await auth.authenticate('secret', ['connectorToken'])).toBeNull()
    for (const wrong of ['', 'Secret', 'secret ', 'secre', 'x'.repeat(5000)]) {
      expect(await auth.authenticate(wrong, ['jwt'])).toBeNull()
    }
  })
})
