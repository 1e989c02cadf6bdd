import { describe, expect, it } from 'vitest'
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
