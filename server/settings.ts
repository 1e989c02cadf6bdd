import type { ServerSettings } from './deps.ts'
import { liveLimitsDefault } from './live/engine.ts'

/** For a server that only this machine reaches. A terminal asks little over HTTP; a script may ask in bursts. */
export const settingsDefault: ServerSettings = {
  corsOrigins: [],
  trustProxyHops: 0,
  publicHosts: [],
  rateLimits: { perAddress: 3000, perUser: 3000, perKey: 60 },
  live: liveLimitsDefault,
  userConnectionsMax: 1000,
  strangerConnectionsMax: 1000,
  helloMs: 10_000,
}

/** Bytes of a request body: SQL text and id lists are the largest things anybody sends. */
export const bodyBytesMax = 256 * 1024

/**
 * How long the parts of a request may take to arrive, in ms: a whole one with a part of an upload in it, and a body of any
 * other. Streams of an import are answers, which have no end here.
 */
export const httpTimeouts = {
  headersMs: 10_000,
  requestMs: 4 * 3_600_000,
  bodyMs: 30_000,
  keepAliveMs: 65_000,
} as const
