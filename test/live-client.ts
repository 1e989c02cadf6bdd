import { once } from 'node:events'
import { WebSocket } from 'ws'
import { applyPatch, type KeyedRow, protocolVersion, type ServerMessage, ServerMessageSchema } from '../contracts/ws.ts'

type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>

/**
 * A WebSocket client for tests: keeps the rows of each subscription by applying what comes, and hands out messages in
 * the order of their coming. Waiting has no time limit of its own: the test's limit is it.
 */
export class LiveClient {
  readonly socket: WebSocket
  /** The rows, columns and last seq of each subscription. */
  readonly tables = new Map<string, { rows: KeyedRow[]; columns: string[]; seq: number; asOf: string }>()
  readonly closed: Promise<{ code: number; reason: string }>
  #messages: ServerMessage[] = []
  #wake: (() => void) | null = null

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', data => this.#take(ServerMessageSchema.parse(JSON.parse(data.toString()))))
    socket.on('error', () => {})
    this.closed = once(socket, 'close').then(([code, reason]) => {
      this.#wake?.()
      return { code: Number(code), reason: String(reason) }
    })
    // Who was refused never looks at how it closed.
    this.closed.catch(() => {})
  }

  /** Connects without a hello. `url` is that of the HTTP server. */
  static async connect(url: string, headers: Record<string, string> = {}): Promise<LiveClient> {
    const client = new LiveClient(new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, { headers }))
    await once(client.socket, 'open')
    return client
  }

  /** Connects and says hello. */
  static async open(url: string, token: string): Promise<LiveClient> {
    const client = await LiveClient.connect(url)
    client.send({ type: 'hello', protocol: protocolVersion, token })
    await client.next('welcome')
    return client
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message))
  }

  subscribe(id: string, name: string, params: Record<string, unknown> = {}): void {
    this.send({ type: 'subscribe', id, query: { name, params } })
  }

  /** The next message of that type (and subscription); others before it are passed over. */
  async next<T extends ServerMessage['type']>(type: T, id?: string): Promise<Of<T>> {
    for (;;) {
      const message = this.#messages.shift()
      if (message && isType(message, type) && (id === undefined || ('id' in message && message.id === id)))
        return message
      if (message) continue
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`The connection closed before a ${type} came.`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Waits until a subscription's rows meet the condition. */
  async until(id: string, isMet: (rows: readonly KeyedRow[]) => boolean): Promise<KeyedRow[]> {
    for (;;) {
      const table = this.tables.get(id)
      if (table && isMet(table.rows)) return table.rows
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Takes nothing more off the wire, as a client that hangs. */
  stopReading(): void {
    this.socket.pause()
  }

  async end(): Promise<void> {
    this.socket.close()
    await this.closed
  }

  #take(message: ServerMessage): void {
    if (message.type === 'snapshot') {
      const { rows, columns, seq, asOf } = message
      this.tables.set(message.id, { rows, columns, seq, asOf })
    }
    if (message.type === 'patch') {
      const table = this.tables.get(message.id)
      if (!table || message.seq !== table.seq + 1)
        throw new Error(`A patch came that fits nothing: seq ${message.seq}.`)
      this.tables.set(message.id, {
        ...table,
        rows: applyPatch(table.rows, message),
        seq: message.seq,
        asOf: message.asOf,
      })
    }
    this.#messages.push(message)
    this.#wake?.()
  }
}

function isType<T extends ServerMessage['type']>(message: ServerMessage, type: T): message is Of<T> {
  return message.type === type
}
