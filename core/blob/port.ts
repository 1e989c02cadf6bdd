import type { Readable } from 'node:stream'

/** Files by key: a directory in the embedded profile, an S3 bucket in a cluster. Keys look like `clips/2026/ab12.mp4`. */
export interface BlobStore {
  /** Visible whole or not at all; durable when it resolves. */
  put(key: string, body: Readable | Buffer): Promise<{ bytes: number }>
  /** Rejects with `NOT_FOUND`. `range` is inclusive, in bytes. */
  get(key: string, range?: { start: number; end: number }): Promise<Readable>
  stat(key: string): Promise<{ bytes: number; modifiedAt: Date } | null>
  delete(key: string): Promise<void>
  list(prefix: string, limit: number): Promise<string[]>
}
