import { PassThrough, Writable } from 'node:stream'
import xterm from '@xterm/headless'
import type { TrendRow } from '../contracts/measures.ts'
import {
  type ClientMessage,
  ClientMessageSchema,
  type KeyedRow,
  protocolVersion,
  type ServerMessage,
} from '../contracts/ws.ts'
import type { SetTimer } from '../terminal/keys/decoder.ts'
import type { Account } from '../terminal/net/account.ts'
import type { Connect, TransportHandlers } from '../terminal/net/transport.ts'
import { type OpenTerminal, openTerminal } from '../terminal/open-terminal.tsx'
import type { ScreenDeps, ScreenView } from '../terminal/screens/screen.ts'
import type { Preferences, TerminalEnv } from '../terminal/state/preferences.ts'
import { SqlDesks } from '../terminal/state/sql-desk.ts'

// A terminal on a headless xterm, talking to a server that does what the test says, on a clock that only the test moves.

/** The wall clock at which every rig starts. */
export const rigStartMs = Date.parse('2026-03-01T12:00:00Z')
/** Data time of the seeded rows. */
export const rigAsOf = '2017-11-14T06:30:00.000Z'

const names = [
  'Gordon reacts to TikTok chefs',
  '猫の動画まとめ 2017',
  'World record any% speedrun 🎬',
  'Le déjeuner le plus cher',
  'Minecraft but gravity is random',
  'Skibidi review [OFFICIAL]',
  '한국 길거리 음식 투어',
  'He did not see this coming',
]

/** Ranked clips with known numbers: row `i` at step `tick`. The same arguments give the same rows. */
export function seededTrends(count: number, tick = 0): TrendRow[] {
  return Array.from({ length: count }, (_, i) => {
    const gain = 1_000_000 - i * 17_003 + ((tick * 977 + i * 131) % 9_000)
    return {
      key: `youtube:clip${String(i + 1).padStart(3, '0')}`,
      rank: i + 1,
      rankChange: i % 5 === 4 ? null : ((i * 7) % 9) - 4,
      platform: (['youtube', 'tiktok', 'instagram'] as const)[i % 3] ?? null,
      title: `${names[i % names.length] ?? ''} #${i + 1}`,
      creatorId: `youtube:UC${String(i % 12).padStart(22, '0')}`,
      creatorName: `Creator ${(i % 12) + 1}`,
      url: `https://www.youtube.com/watch?v=clip${i + 1}`,
      publishedAt: new Date(Date.parse(rigAsOf) - (i + 1) * 5_400_000).toISOString(),
      views: 5_000_000 - i * 61_003 + tick * 977,
      gain,
      gainState: (['value', 'value', 'new', 'partial'] as const)[i % 4] ?? 'value',
      velocity: gain / 24,
      acceleration: 0.5 + (i % 7) / 4,
      engagement: i % 6 === 5 ? null : 0.02 + (i % 9) / 100,
      engagementOver: ['likes', 'comments'],
      outlier: i % 4 === 3 ? null : 1 + (i % 8),
      outlierZ: null,
      clippers: null,
      followers: null,
      videos: 1,
      niches: [(['gaming', 'brain-rot', 'food'] as const)[i % 3] ?? 'gaming'],
      regions: ['US'],
      sampleAt: rigAsOf,
      source: 'import:youtube-trending-2017',
      spark: Array.from({ length: 12 }, (__, x) => (x === 3 && i % 4 === 0 ? null : (x * (i + 2) + tick) % 17)),
      missing: {
        ...(i % 6 === 5 ? { engagement: 'not_provided' } : {}),
        ...(i % 4 === 3 ? { outlier: 'too_few' } : {}),
      },
    }
  })
}

/** What the replayed sample says of itself. */
export const rigWorld = {
  key: 'world',
  mode: 'replay',
  notice: 'Sample replay: US YouTube trending, 14-28 Nov 2017 (Kaggle, CC0). Not live data.',
  now: rigAsOf,
  speed: 1,
  sources: ['import:youtube-trending-2017'],
}

/** Protocol 1 in the same process: answers subscriptions from a table and pushes what the test says. */
export class ScriptedServer {
  /** Rows by query name; a query that is not here is never answered. */
  readonly answers = new Map<string, readonly KeyedRow[]>()
  /** Everything that clients have sent, in order. */
  readonly received: ClientMessage[] = []
  /** Whether new connections are taken. */
  isUp = true
  /** Tokens with which nobody is let in. */
  refusedTokens: readonly string[] = []
  /** Which subscriptions a returning client may resume. */
  resumable: readonly string[] = []
  #handlers: TransportHandlers | null = null
  readonly #subscriptions = new Map<string, { name: string; seq: number }>()

  readonly connect: Connect = handlers => {
    if (!this.isUp) {
      queueMicrotask(() => handlers.onClose('The server cannot be reached: connect ECONNREFUSED.'))
      return { send() {}, close() {} }
    }
    this.#handlers = handlers
    queueMicrotask(() => handlers.onOpen())
    return {
      send: text => this.#receive(text),
      close: () => {
        this.#handlers = null
      },
    }
  }

  /** Ends the connection as a dying server would. */
  cut(reason = 'The server closed the connection.'): void {
    const handlers = this.#handlers
    this.#handlers = null
    handlers?.onClose(reason)
  }

  /** Sends rows that have changed to everyone who watches the query. */
  patch(name: string, upsert: readonly KeyedRow[], extra: { remove?: string[]; order?: string[] } = {}): void {
    for (const [id, subscription] of this.#subscriptions) {
      if (subscription.name !== name) continue
      subscription.seq += 1
      this.push({
        type: 'patch',
        id,
        seq: subscription.seq,
        asOf: rigAsOf,
        upsert: [...upsert],
        remove: extra.remove ?? [],
        order: extra.order ?? null,
      })
    }
  }

  push(message: ServerMessage): void {
    this.#handlers?.onMessage(JSON.stringify(message))
  }

  /** Sends something that need not be a message. */
  pushText(text: string): void {
    this.#handlers?.onMessage(text)
  }

  /** The id under which a query is subscribed now. */
  idOf(name: string): string | undefined {
    return [...this.#subscriptions].find(([, subscription]) => subscription.name === name)?.[0]
  }

  #receive(text: string): void {
    const message = ClientMessageSchema.parse(JSON.parse(text))
    this.received.push(message)
    if (message.type === 'hello') {
      if (message.protocol !== protocolVersion) throw new Error('The client speaks another protocol.')
      if (this.refusedTokens.includes(message.token)) {
        this.push({ type: 'error', code: 'AUTH_REQUIRED', message: 'The token is not valid.' })
        return this.cut('AUTH_REQUIRED')
      }
      this.push({ type: 'welcome', sessionId: 'rig', serverTime: rigAsOf, resumed: [...this.resumable] })
    } else if (message.type === 'ping') this.push({ type: 'pong' })
    else if (message.type === 'unsubscribe') this.#subscriptions.delete(message.id)
    else this.#subscribe(message)
  }

  #subscribe(message: Extract<ClientMessage, { type: 'subscribe' }>): void {
    if (!('name' in message.query)) throw new Error('The terminal has no saved queries yet.')
    const { name } = message.query
    this.#subscriptions.set(message.id, { name, seq: 1 })
    const rows = this.answers.get(name)
    if (rows !== undefined)
      this.push({ type: 'snapshot', id: message.id, seq: 1, asOf: rigAsOf, columns: [], rows: [...rows] })
  }
}

/** A server with 60 clips, the same movers, and the replay's notice. */
export function seededServer(): ScriptedServer {
  const server = new ScriptedServer()
  server.answers.set('world', [rigWorld])
  server.answers.set('trends', seededTrends(60))
  server.answers.set('movers', seededTrends(20))
  return server
}

/** Timers that fire only when the rig's clock is advanced. */
export function rigClock(): { nowMs(): number; setTimer: SetTimer; advance(ms: number): void } {
  let atMs = rigStartMs
  let nextId = 1
  const timers = new Map<number, { dueMs: number; run: () => void }>()
  return {
    nowMs: () => atMs,
    setTimer(ms, run) {
      const id = nextId++
      timers.set(id, { dueMs: atMs + ms, run })
      return () => timers.delete(id)
    },
    advance(ms) {
      const endMs = atMs + ms
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.dueMs <= endMs).sort((a, b) => a[1].dueMs - b[1].dueMs)[0]
        if (due === undefined) break
        timers.delete(due[0])
        atMs = Math.max(atMs, due[1].dueMs)
        due[1].run()
      }
      atMs = endMs
    },
  }
}

/** What views hold of SQL where no screen of the test asks any. */
export const noSql = {
  result: () => {
    throw new Error('No screen here runs SQL.')
  },
  desk: new SqlDesks({ load: () => null, save() {} }, () => () => {}).of(''),
} satisfies Pick<ScreenView, 'result' | 'desk'>

/** The same of what actions may do. */
export const noSqlRuns = {
  results: { start: noSql.result, cancel: noSql.result, find: noSql.result },
  saveAnswer: noSql.result,
} satisfies Pick<ScreenDeps, 'results' | 'saveAnswer'>

/** How long, in real time, a screen is waited for. */
const showsMs = 15_000

export const plainEnv: TerminalEnv = {
  depth: 24,
  isAscii: false,
  isReducedMotion: true,
  isAccessible: false,
  theme: null,
}

export interface Rig {
  server: ScriptedServer
  screen: InstanceType<typeof xterm.Terminal>
  terminal: OpenTerminal
  preferences: { saved: Preferences | null }
  saved: Map<string, string>
  /** Everything written so far. */
  output(): string
  /** Types bytes and waits until they have been drawn. */
  type(text: string): Promise<void>
  /** Moves the clock and waits until the screen has taken everything. */
  advance(ms: number): Promise<void>
  settle(): Promise<void>
  /** Waits, with the clock going on, until the screen holds a text; resolves to the screen. For what a real server answers. */
  shows(text: string | RegExp): Promise<string>
  resize(columns: number, rows: number): Promise<void>
  /** The screen's lines, without trailing spaces. */
  lines(): string[]
  /** Makes the terminal's output block, as a frozen window does, and flow again. */
  freeze(): void
  thaw(): void
  end(): Promise<void>
}

/** Opens a terminal of some size on a rig and lets the first data arrive. */
export async function openRig(options: {
  columns: number
  rows: number
  server?: ScriptedServer
  env?: Partial<TerminalEnv>
  startCommand?: string
  preferences?: unknown
  /** Where HTTP requests go; nobody answers there by default. */
  url?: string
  /** Whether live data come from a real server at `url` as well, instead of the scripted one. */
  isReal?: boolean
  /** What the server is told; `rig` by default. */
  token?: string
  /** Is asked to open addresses; none is opened by default. */
  openBrowser?: (url: string) => Promise<boolean>
  /** Of a remote server; without one the terminal belongs to its own. */
  account?: Account
  /** Whether the terminal is asked what it is. */
  asksForImages?: boolean
}): Promise<Rig> {
  const server = options.server ?? seededServer()
  const clock = rigClock()
  const screen = new xterm.Terminal({
    cols: options.columns,
    rows: options.rows,
    allowProposedApi: true,
    scrollback: 0,
  })
  const size = { columns: options.columns, rows: options.rows }
  const resized = new Set<() => void>()
  const preferences: Rig['preferences'] = { saved: null }
  const saved = new Map<string, string>()
  let output = ''
  let held: (() => void)[] | null = null
  const stdin = new PassThrough()
  const stdout = new Writable({
    highWaterMark: 32 * 1024,
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      const take = () => {
        output += chunk
        screen.write(chunk)
        done()
      }
      if (held === null) take()
      else held.push(take)
    },
  })
  const terminal = openTerminal({
    stdin,
    stdout,
    size: () => size,
    onResize(callback) {
      resized.add(callback)
      return () => resized.delete(callback)
    },
    url: options.url ?? 'http://127.0.0.1:1',
    token: options.account?.token ?? (async () => options.token ?? 'rig'),
    ...(options.account === undefined ? {} : { account: options.account }),
    ...(options.openBrowser === undefined ? {} : { openBrowser: options.openBrowser }),
    asksForImages: options.asksForImages ?? false,
    env: { ...plainEnv, ...options.env },
    preferences: {
      load: () => options.preferences ?? null,
      save(next) {
        preferences.saved = next
      },
    },
    saveFile: async (name, content) => {
      let text = ''
      for await (const piece of typeof content === 'string' ? [content] : content) text += Buffer.from(piece).toString()
      saved.set(name, text)
      return name
    },
    ...(options.isReal === true ? {} : { connect: server.connect }),
    nowMs: clock.nowMs,
    setTimer: clock.setTimer,
    ...(options.startCommand === undefined ? {} : { startCommand: options.startCommand }),
  })
  const settle = async () => {
    await new Promise<void>(resolve => setImmediate(resolve))
    await new Promise<void>(resolve => screen.write('', resolve))
  }
  const rig: Rig = {
    server,
    screen,
    terminal,
    preferences,
    saved,
    output: () => output,
    async type(text) {
      stdin.write(text)
      await settle()
      await settle()
    },
    async advance(ms) {
      clock.advance(ms)
      await settle()
    },
    settle,
    async shows(text) {
      const endMs = Date.now() + showsMs
      for (;;) {
        const shown = rig.lines().join('\n')
        if (typeof text === 'string' ? shown.includes(text) : text.test(shown)) return shown
        if (Date.now() > endMs) throw new Error(`The screen never showed ${text}:\n${shown}`)
        await rig.advance(20)
      }
    },
    async resize(columns, rows) {
      size.columns = columns
      size.rows = rows
      screen.resize(columns, rows)
      for (const callback of resized) callback()
      await settle()
    },
    lines: () =>
      Array.from({ length: screen.rows }, (_, y) => screen.buffer.active.getLine(y)?.translateToString(true) ?? ''),
    freeze() {
      held = []
    },
    thaw() {
      const waiting = held ?? []
      held = null
      for (const take of waiting) take()
    },
    async end() {
      await terminal.close()
      screen.dispose()
    },
  }
  await settle()
  await rig.advance(200)
  await rig.advance(200)
  return rig
}
