import { type BusEvents, type BusTopic, busTopics } from '../../contracts/bus.ts'
import type { Log } from '../log.ts'

type Handler = (payload: unknown) => void | Promise<void>

/**
 * Who listens to what in this process. Both adapters deliver through it, so a handler sees the same in both profiles: a
 * copy of its own that came out of JSON, and no other handler's errors.
 */
export class Subscribers {
  readonly #handlers = new Map<BusTopic, Set<Handler>>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Returns the function that takes the handler out again, and says whether it was the topic's last. */
  add<T extends BusTopic>(topic: T, handler: (payload: BusEvents[T]) => void | Promise<void>): () => boolean {
    // What comes out of JSON is what a publisher of the same topic put in: the one place where that is believed.
    const added: Handler = payload => handler(payload as BusEvents[T])
    const handlers = this.#handlers.get(topic) ?? new Set<Handler>()
    this.#handlers.set(topic, handlers.add(added))
    return () => {
      const wasThere = handlers.delete(added)
      return wasThere && handlers.size === 0
    }
  }

  deliver(topic: BusTopic, json: string): void {
    for (const handler of this.#handlers.get(topic) ?? []) void this.#run(topic, handler, json)
  }

  clear(): void {
    this.#handlers.clear()
  }

  async #run(topic: BusTopic, handler: Handler, json: string): Promise<void> {
    try {
      await handler(JSON.parse(json))
    } catch (error) {
      this.#log.error({ err: error, topic }, 'A listener on the bus failed; the others were told all the same.')
    }
  }
}

export function isBusTopic(name: string): name is BusTopic {
  return Object.hasOwn(busTopics, name)
}

/** @throws TypeError for a name that is no topic: our bug, and on Redis a channel that nobody would hear. */
export function assertBusTopic(name: string): asserts name is BusTopic {
  if (!isBusTopic(name)) throw new TypeError(`${JSON.stringify(name)} is not a topic of the bus.`)
}
