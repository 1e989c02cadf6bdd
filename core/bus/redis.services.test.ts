import { PassThrough } from 'node:stream'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisRig, startRedis } from '../../test/services/redis.ts'
import { collect, describeBus } from './port-suite.ts'
import { redisBus } from './redis.ts'

const log = pino({ level: 'silent' })
let rig: RedisRig

beforeAll(async () => {
  rig = await startRedis()
})

afterAll(async () => {
  await rig.stop()
})

describeBus(async busLog => ({
  near: await redisBus({ url: rig.url, log: busLog }),
  far: await redisBus({ url: rig.url, log: busLog }),
}))

describe('the bus on Redis', () => {
  it('listens again by itself when the server comes back', async () => {
    const bus = await redisBus({ url: rig.url, log })
    const seen = collect(1)
    await bus.subscribe('deadletters.changed', seen.add)
    await rig.restart()
    // Whoever publishes before the listener is back is not heard: publish until somebody is.
    const publisher = new Redis(rig.url)
    while ((await publisher.publish('cliptape:bus:deadletters.changed', '{"count":3}')) === 0) await tick()
    expect(await seen.all).toEqual([{ count: 3 }])
    publisher.disconnect()
    await bus.close()
  })

  it('survives a message that is not ours', async () => {
    const lines = new PassThrough({ encoding: 'utf8' })
    const bus = await redisBus({ url: rig.url, log: pino(lines) })
    const seen = collect(1)
    await bus.subscribe('deadletters.changed', event => {
      if (event.count === 1) seen.add(event)
    })
    const publisher = new Redis(rig.url)
    await publisher.publish('cliptape:bus:deadletters.changed', '{not json')
    await publisher.publish('cliptape:bus:deadletters.changed', '{"count":1}')
    expect(await seen.all).toEqual([{ count: 1 }])
    expect(String(lines.read())).toContain('A listener on the bus failed')
    publisher.disconnect()
    await bus.close()
  })

  it('says that Redis is not answering', async () => {
    await expect(redisBus({ url: 'redis://127.0.0.1:1', log })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

function tick(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
