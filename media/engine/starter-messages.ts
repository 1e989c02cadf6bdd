/** What a `ProcessStarter` asks its small process for: a program, in a session of its own. */
export interface StartRequest {
  readonly id: number
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Whether its file descriptor 0 is a pipe; 1 to 4 are. */
  readonly hasInput: boolean
}

/** What the small process says: that it listens, that a program runs or could not be started, how it ended. */
export type StartReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  | { readonly kind: 'failed'; readonly id: number }
  | {
      readonly kind: 'ended'
      readonly id: number
      readonly code: number | null
      readonly signal: NodeJS.Signals | null
    }

/** The first line of a connection says which file descriptor of which program it is joined to. */
export function pipeName(id: number, descriptor: number): string {
  return `${id} ${descriptor}`
}
