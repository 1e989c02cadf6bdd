import { describe, expect, it } from 'vitest'
import { createPasswords, passwordCostDefault } from './passwords.ts'

const cheap = { memoryKib: 64, passes: 1, parallelism: 1 }

describe('passwords', () => {
  it('are hashed with argon2id at the cost that OWASP advises', async () => {
    const passwords = createPasswords()
    const hash = await passwords.hash('correct horse')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await passwords.verify('correct horse', hash)).toEqual({ isRight: true, isWeak: false })
    expect(await passwords.verify('correct horsf', hash)).toEqual({ isRight: false, isWeak: false })
  })

  it('know a hash that another program has made', async () => {
    // A test vector of the reference implementation (argon2id, version 0x13).
    const known = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    expect((await createPasswords(cheap).verify('password', known)).isRight).toBe(true)
    expect((await createPasswords(cheap).verify('passwort', known)).isRight).toBe(false)
  })

  it('never have the same hash twice', async () => {
    const passwords = createPasswords(cheap)
    expect(await passwords.hash('x')).not.toBe(await passwords.hash('x'))
  })

  it('are the same on every keyboard: composed or not, in any script', async () => {
    const passwords = createPasswords(cheap)
    const hash = await passwords.hash('Grüße \u{1F3AC} пароль')
    expect((await passwords.verify('Gru\u0308ße \u{1F3AC} пароль', hash)).isRight).toBe(true)
  })

  it('are called weak when their hash cost less than is usual now', async () => {
    const hash = await createPasswords(cheap).hash('x')
    for (const dearer of [passwordCostDefault, { ...cheap, memoryKib: 65 }, { ...cheap, passes: 2 }]) {
      expect(await createPasswords(dearer).verify('x', hash)).toEqual({ isRight: true, isWeak: true })
      expect(await createPasswords(dearer).verify('y', hash)).toEqual({ isRight: false, isWeak: false })
    }
  })

  it('are right for nobody when there is no hash', async () => {
    expect(await createPasswords(cheap).verify('', null)).toEqual({ isRight: false, isWeak: false })
  })

  it('wait for their turn in a burst, and are refused when too many wait', async () => {
    const passwords = createPasswords(cheap)
    const burst = await Promise.allSettled(Array.from({ length: 260 }, () => passwords.hash('x')))
    const done = burst.filter(one => one.status === 'fulfilled')
    expect(done.length).toBeGreaterThanOrEqual(200)
    expect(done.length).toBeLessThan(260)
    for (const one of burst) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'UNAVAILABLE' })
    await expect(passwords.hash('x')).resolves.toContain('argon2id')
  })

  it('are never compared with a stored text that is no hash', async () => {
    await expect(createPasswords(cheap).verify('x', 'x')).rejects.toThrow('not one of argon2id')
  })
})
