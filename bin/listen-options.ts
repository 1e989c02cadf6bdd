import { type Command, InvalidArgumentError } from 'commander'

/** Flags of the verbs that listen. */
export interface ListenOptions {
  host?: string
  port?: string
}

export function addListenOptions(verb: Command): Command {
  return verb
    .option('--host <address>', 'Address to listen on (HOST).')
    .option('--port <number>', 'TCP port of HTTP and WebSocket; 0 takes any free one (PORT).', parsePort)
}

function parsePort(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text
  throw new InvalidArgumentError('It must be a port number from 0 to 65535.')
}
