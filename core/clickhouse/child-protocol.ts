/**
 * What the parent tells the engine's process on its command line, as one JSON argument. Later it tells one more thing:
 * any message means "finish what runs, then exit".
 */
export interface ChildOptions {
  /** The engine's folder; created when absent. */
  readonly dataDir: string
  /** A private folder (0700) for the socket and the generated configuration. */
  readonly runtimeDir: string
  /** Where to listen: a unix socket, or a port of 127.0.0.1. */
  readonly listen: { readonly socketPath: string } | { readonly port: number }
  readonly limits: ChildLimits
}

export interface ChildLimits {
  /** Statements of our own that run at once; more wait. */
  readonly concurrentMax: number
  /** Users' statements that run at once; more wait. */
  readonly readOnlyConcurrentMax: number
  /** Statements that wait, of each kind; one more is answered with status 503. */
  readonly queuedMax: number
  /** The largest request body; a larger one is answered with status 413. */
  readonly bodyBytesMax: number
  /** Memory of the whole engine. */
  readonly memoryBytesMax: number
}

/** From the child: it listens and its grants are as they should be, or why it could not start. */
export type ChildMessage =
  | { readonly kind: 'ready'; readonly version: string }
  | { readonly kind: 'failed'; readonly reason: string }
