import type { Log } from '../log.ts'
import type { Bus } from './port.ts'
import { assertBusTopic, Subscribers } from './subscribers.ts'

/**
 * The bus of one process. Handlers run after `publish` was called, not inside it, in the order of publishing; nothing
 * is kept for those who come later.
 */
export function memoryBus(options: { log: Log }): Bus {
  const subscribers = new Subscribers(options.log)
  return {
    async publish(topic, payload) {
      assertBusTopic(topic)
      const json = JSON.stringify(payload)
      setImmediate(() => subscribers.deliver(topic, json))
    },
    async subscribe(topic, handler) {
      assertBusTopic(topic)
      const remove = subscribers.add(topic, handler)
      return async () => {
        remove()
      }
    },
    async close() {
      subscribers.clear()
    },
  }
}
