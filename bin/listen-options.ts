import type { Command } from 'commander'

/** Flags of the verbs that listen. */
export interface ListenOptions {
  host?: string
  port?: string
}

export function addListenOptions(verb: Command): Command {
  return verb
    .option('--host <address>', 'Address to listen on (HOST).')
    .option('--port <number>', 'TCP port of HTTP and WebSocket; 0 takes any free one (PORT).')
}
