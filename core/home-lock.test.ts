import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockHome } from './home-lock.ts'

let home: string

beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'cliptape-lock-')), 'home')
})

afterEach(async () => {
  await rm(join(home, '..'), { recursive: true })
})

/** Another process that takes the lock and holds it until it is killed. */
async function otherProcess(): Promise<ChildProcess> {
  const script = `
    import { lockHome } from ${JSON.stringify(fileURLToPath(new URL('home-lock.ts', import.meta.url)))}
    await lockHome(${JSON.stringify(home)})
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('lockHome', () => {
  it('refuses a second process with a sentence that names the first, and lets it in when that was killed', async () => {
    const child = await otherProcess()
    await expect(lockHome(home)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `Process ${child.pid} is already running Cliptape on ${home}: stop it first, or set CLIPTAPE_HOME to another folder.`,
      details: { pid: child.pid },
    })
    await kill(child)
    const lock = await lockHome(home)
    expect(Number(await readFile(join(home, 'home.pid'), 'utf8'))).toBe(process.pid)
    await lock.release()
  })

  it('is not held up by the pid of a stranger that is alive', async () => {
    await (await lockHome(home)).release()
    await writeFile(join(home, 'home.pid'), '1\n')
    await (await lockHome(home)).release()
  })

  it('refuses a second caller in the same process until the first gives it back', async () => {
    const lock = await lockHome(home)
    await expect(lockHome(home)).rejects.toMatchObject({ code: 'CONFLICT', details: { pid: process.pid } })
    await lock.release()
    await lock.release()
    const next = await lockHome(home)
    await next.release()
  })

  it('lets exactly one of several that start at once have it', async () => {
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => lockHome(home)))
    const locks = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    expect(locks).toHaveLength(1)
    await locks[0]?.release()
  })

  it('says so when the folder cannot be there', async () => {
    await writeFile(join(home, '..', 'file'), 'x')
    await expect(lockHome(join(home, '..', 'file', 'home'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
