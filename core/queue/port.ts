/** Background jobs on the relational store (pg-boss). Delivery is at least once: handlers are idempotent. */
export interface Queue {
  /** Declares a queue; must run before `send` or `work`. */
  declare(name: string, options?: { retryLimit?: number; expireInSeconds?: number }): Promise<void>
  /**
   * Resolves to the job's id when it is durable. With a `singletonKey` at most one job of that key waits at a time:
   * null when one does already. Not from inside an open transaction of the store.
   */
  send(
    name: string,
    data: object,
    options?: { singletonKey?: string; startAfterSeconds?: number; priority?: number },
  ): Promise<string | null>
  /**
   * Hands waiting jobs to `handler`, `batchSize` at most at a time. When it rejects, the whole batch is tried again, up
   * to the queue's retry limit. Polls every `pollingIntervalSeconds` (0.5 or more).
   */
  work<T extends object>(
    name: string,
    options: { batchSize: number; pollingIntervalSeconds: number },
    handler: (jobs: { id: string; data: T }[]) => Promise<void>,
  ): Promise<void>
  /** Sends `data` at each time of a cron expression (UTC). One schedule a queue; a second call replaces it. */
  schedule(name: string, cron: string, data: object): Promise<void>
  /** Waiting and active jobs and the age of the oldest waiting one, per queue. */
  stats(): Promise<{ name: string; waiting: number; active: number; oldestWaitingSeconds: number | null }[]>
  /** Stops taking jobs, waits up to 5 s for those under way, and leaves the store open. */
  close(): Promise<void>
}
