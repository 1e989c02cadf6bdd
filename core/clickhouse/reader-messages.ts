/** What the engine's process tells one of its reader threads: one statement at a time, and then chunk after chunk. */
export type ToReader =
  | { readonly kind: 'run'; readonly args: readonly string[]; readonly sql: string; readonly format: string }
  /** The last chunk is out: the next one may come. */
  | { readonly kind: 'more' }
  /** Nobody reads on. */
  | { readonly kind: 'stop' }

/** What the thread answers: any number of chunks, each asked for, and then `end` or `failed`. */
export type FromReader =
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly message: string; readonly code: number }
