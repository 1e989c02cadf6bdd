import type { Logger } from 'pino'

/** The program's log: pino, one JSON object a line. Rooms are handed one and never make their own. */
export type Log = Logger
