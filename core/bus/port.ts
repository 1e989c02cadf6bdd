import type { BusEvents, BusTopic } from '../../contracts/bus.ts'

/** Tells other roles that something happened: at most once, in order per publisher, to whoever listens now. */
export interface Bus {
  publish<T extends BusTopic>(topic: T, payload: BusEvents[T]): Promise<void>
  /** Resolves once listening; the returned function stops it. A throwing handler is logged and hurts nobody else. */
  subscribe<T extends BusTopic>(
    topic: T,
    handler: (payload: BusEvents[T]) => void | Promise<void>,
  ): Promise<() => Promise<void>>
  close(): Promise<void>
}
