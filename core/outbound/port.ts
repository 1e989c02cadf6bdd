/** An answer, read whole. */
export interface OutboundAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer as bytes, read whole, e.g. a range of a file. */
export interface OutboundBytes extends Omit<OutboundAnswer, 'body'> {
  readonly bytes: Uint8Array
  /** The address that answered, after redirects. */
  readonly url: string
}

export interface OutboundRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For everything together, in ms; 10,000 unless told. */
  readonly timeoutMs?: number
  /** More is an error; 1 MiB unless told. */
  readonly answerBytesMax?: number
  readonly signal?: AbortSignal
}

/**
 * All network calls that leave this installation. The address is checked when the connection is made, after the name was
 * looked up, so that a name which changes its mind cannot lead inside; each redirect is checked again.
 */
export interface Outbound {
  /**
   * What can be said of a user's address without asking anybody, for an early answer. It replaces no check.
   * @throws AppError BAD_REQUEST when it is no http or https address or carries a password; FORBIDDEN as `fetchForUser`
   */
  checkForUser(url: string): void
  /**
   * To an address that a user gave: public addresses only.
   * @throws AppError FORBIDDEN when it leads to this machine or a private network; UNAVAILABLE when nobody answers
   */
  fetchForUser(url: string, request?: OutboundRequest): Promise<OutboundAnswer>
  /** As `fetchForUser`, for what is no text. */
  fetchBytesForUser(url: string, request?: OutboundRequest): Promise<OutboundBytes>
  /**
   * A file that a configured interface named in its answer: at the interface's own origin, or as `fetchBytesForUser`.
   * @param namedBy an address of the interface
   */
  fetchBytesNamed(url: string, namedBy: string, request?: OutboundRequest): Promise<OutboundBytes>
  /**
   * To an address that the operator configured: its exact origin may be anywhere, redirects must stay on it.
   * @throws AppError FORBIDDEN for any other origin; UNAVAILABLE when nobody answers
   */
  fetchConfigured(url: string, request?: OutboundRequest): Promise<OutboundAnswer>
  close(): Promise<void>
}
