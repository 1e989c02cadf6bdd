import WebSocket from 'ws'

/** One connection that carries text frames. After `close` no handler is called any more. */
export interface Transport {
  send(text: string): void
  close(): void
}

export interface TransportHandlers {
  onOpen(): void
  onMessage(text: string): void
  /** The connection ended or never came about; called once. The reason is a sentence. */
  onClose(reason: string): void
}

/** Starts a connection: the seam where tests and recordings put a transcript. */
export type Connect = (handlers: TransportHandlers) => Transport

/** Largest frame that is taken: a snapshot of 500 rows is about half a megabyte. */
const frameBytesMax = 16 * 1024 * 1024

/** Connects to the server's live channel. `url` is the server's address (http) or the channel's own (ws). */
export function webSocketConnect(url: string): Connect {
  return handlers => {
    const socket = new WebSocket(liveAddress(url), {
      maxPayload: frameBytesMax,
      handshakeTimeout: 10_000,
      perMessageDeflate: false,
    })
    let isDone = false
    let reason = 'The server closed the connection.'
    socket.on('open', () => handlers.onOpen())
    socket.on('message', (frame, isBinary) => {
      if (!isDone && !isBinary) handlers.onMessage(frame.toString())
    })
    socket.on('error', error => {
      reason = `The server cannot be reached: ${error.message || 'no answer'}.`
    })
    socket.on('close', (_code, text) => {
      if (isDone) return
      isDone = true
      handlers.onClose(text.length > 0 ? text.toString() : reason)
    })
    return {
      send(text) {
        if (socket.readyState === WebSocket.OPEN) socket.send(text)
      },
      close() {
        isDone = true
        socket.terminate()
      },
    }
  }
}

/** `http://host/` → `ws://host/ws`; a ws address stays as it is. */
export function liveAddress(url: string): string {
  const address = new URL(url)
  if (address.protocol === 'http:' || address.protocol === 'https:') {
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
    address.pathname = `${address.pathname.replace(/\/$/, '')}/ws`
  }
  return address.href
}
