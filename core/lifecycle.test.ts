import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../sql/read.ts'
import { createScope } from './lifecycle.ts'

const never = new Promise<void>(() => undefined)

describe('createScope', () => {
  it('stops what it started in the reverse order, once', async () => {
    const steps: string[] = []
    const scope = createScope(() => null)
    for (const name of ['lock', 'store', 'server']) {
      await scope.start(
        name,
        () => void steps.push(`+${name}`),
        () => void steps.push(`-${name}`),
      )
    }
    await Promise.all([scope.stop(), scope.stop()])
    expect(steps).toEqual(['+lock', '+store', '+server', '-server', '-store', '-lock'])
  })

  it('goes on when one part fails to stop and another one hangs beyond its deadline', async () => {
    const stopped: string[] = []
    const scope = createScope(() => null)
    await scope.start(
      'first',
      () => 1,
      () => void stopped.push('first'),
    )
    await scope.start(
      'hangs',
      () => 2,
      () => never,
      { stopDeadlineMs: 5 },
    )
    await scope.start(
      'fails',
      () => 3,
      () => Promise.reject(new Error('no')),
    )
    await scope.stop()
    expect(stopped).toEqual(['first'])
  })

  it('stops a part that came up only after the end was asked for', async () => {
    const scope = createScope(() => null)
    let finish: (value: string) => void = () => undefined
    const stopped: string[] = []
    const starting = scope.start(
      'slow',
      () =>
        new Promise<string>(resolve => {
          finish = resolve
        }),
      value => void stopped.push(value),
    )
    await scope.stop()
    finish('late')
    await starting
    expect(stopped).toEqual(['late'])
  })

  it('passes a failed start on and has nothing to stop for it', async () => {
    const scope = createScope(() => null)
    await expect(
      scope.start(
        'broken',
        () => Promise.reject(new Error('no engine')),
        () => never,
      ),
    ).rejects.toThrow('no engine')
    await scope.stop()
  })
})

/** A process of its own that waits to be told to end, then prints why. */
function startWatched(atStart: string): ChildProcess {
  const code = `
    import { watchProcessEnd } from ${JSON.stringify(join(packageRoot, 'core', 'lifecycle.ts'))}
    const end = watchProcessEnd({ log: () => null, restoreTerminal: () => process.stdout.write('restored ') })
    const busy = setInterval(() => {}, 1000)
    end.requested.then(reason => { process.stdout.write('drained: ' + reason); clearInterval(busy) })
    ${atStart}
    process.stdout.write('ready ')`
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
}

describe('watchProcessEnd', () => {
  const ended = async (child: ChildProcess, act: () => void) => {
    const { stdout, stderr } = child
    if (!stdout || !stderr) throw new Error('The child has pipes.')
    const [first] = await once(stdout, 'data')
    const rest = text(stdout)
    const errors = text(stderr)
    act()
    const [code] = await once(child, 'exit')
    return { code, stdout: String(first) + (await rest), stderr: await errors }
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('drains on %s and ends with 0', async signal => {
    const child = startWatched('')
    expect(await ended(child, () => child.kill(signal))).toMatchObject({ code: 0, stdout: `ready drained: ${signal}` })
  })

  it('drains when the launcher is gone without a signal', async () => {
    const child = startWatched('')
    expect(await ended(child, () => child.disconnect())).toMatchObject({
      code: 0,
      stdout: 'ready drained: the launcher is gone',
    })
  })

  it('gives the terminal back and ends with 1 after an error that nobody caught', async () => {
    const child = startWatched("process.on('SIGUSR2', () => { throw new Error('a bug') })")
    const result = await ended(child, () => child.kill('SIGUSR2'))
    expect(result).toMatchObject({ code: 1, stdout: 'ready restored ' })
    expect(result.stderr).toMatch(/unexpected error[\s\S]*a bug/)
  })
})
