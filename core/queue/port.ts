/** Background jobs on the relational store (pg-boss). Delivery is at least once: handlers are idempotent. */
export interface Queue {
  /** Declares a queue; must run before `send` or `work`. */
  declare(name: string, options?: { retryLimit?: number; expireInSeconds?: number }): Promise<void>
  send(
    name: string,
    data: object,
    options?: { singletonKey?: string; startAfterSeconds?: number; priority?: number },
  ): Promise<string | null>
  work<T extends object>(
    name: string,
    options: { batchSize: number; pollingIntervalSeconds: number },
    handler: (jobs: { id: string; data: T }[]) => Promise<void>,
  ): Promise<void>
  schedule(name: string, cron: string, data: object): Promise<void>
  /** Waiting and active jobs and the age of the oldest waiting one, per queue. */
  stats(): Promise<{ name: string; waiting: number; active: number; oldestWaitingSeconds: number | null }[]>
  close(): Promise<void>
}
