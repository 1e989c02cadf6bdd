import type { BusTopic } from '../../contracts/bus.ts'
import type { Log } from '../log.ts'
import { openRedis, redisCall } from '../redis.ts'
import type { Bus } from './port.ts'
import { assertBusTopic, isBusTopic, Subscribers } from './subscribers.ts'

const channelPrefix = 'cliptape:bus:'

/**
 * The bus between processes, over Redis publish/subscribe. Two connections, because one that listens may do nothing else.
 * Both reconnect by themselves and listen again; what was published meanwhile is lost, as the port says.
 * Rejects with `UNAVAILABLE` when Redis does not answer.
 */
export async function redisBus(options: { url: string; log: Log }): Promise<Bus> {
  const publisher = await openRedis(options)
  const listener = await openRedis(options).catch(error => {
    publisher.disconnect()
    throw error
  })
  const subscribers = new Subscribers(options.log)
  listener.on('message', (channel: string, json: string) => {
    const topic = channel.slice(channelPrefix.length)
    if (isBusTopic(topic)) subscribers.deliver(topic, json)
  })
  return {
    async publish(topic, payload) {
      const channel = channelOf(topic)
      const json = JSON.stringify(payload)
      await redisCall(() => publisher.publish(channel, json))
    },
    async subscribe(topic, handler) {
      const channel = channelOf(topic)
      const remove = subscribers.add(topic, handler)
      try {
        await redisCall(() => listener.subscribe(channel))
      } catch (error) {
        remove()
        throw error
      }
      return async () => {
        if (remove()) await redisCall(() => listener.unsubscribe(channel))
      }
    },
    async close() {
      subscribers.clear()
      publisher.disconnect()
      listener.disconnect()
    },
  }
}

function channelOf(topic: BusTopic): string {
  assertBusTopic(topic)
  return `${channelPrefix}${topic}`
}
