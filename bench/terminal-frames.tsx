import { registerHooks } from 'node:module'
import { PassThrough, Writable } from 'node:stream'
import { memo } from 'react'
import { z } from 'zod'
import type { KeyedRow } from '../contracts/ws.ts'
import type { FrameModel } from '../terminal/frame/frame-model.ts'
import { rigAsOf, rigWorld, ScriptedServer, seededTrends } from '../test/terminal-rig.ts'

// One measurement of `bench/terminal.ts`, in a process of its own: what is measured first would warm the engine for what
// comes second, and plain Ink needs the string-width that it ships with, which has to be put in place before Ink loads.

const size = { columns: 200, rows: 60 }
const rowCount = 50
const warmFrames = 100
const frames = 500

const mode = z.enum(['ours', 'plain-rows', 'plain-cells', 'keys']).parse(process.argv[2])
const hasCharts = process.argv[3] === 'charts'

if (mode.startsWith('plain')) {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(
        specifier === 'string-width' && context.parentURL?.includes('/ink/') ? 'string-width-upstream' : specifier,
        context,
      ),
  })
}

// Imported here, behind the hook.
const { render, Box, Text } = await import('ink')
const { FrameCast } = await import('../terminal/frame/frame-cast.ts')
const { Composer } = await import('../terminal/frame/compose.ts')
const { cacheTokens } = await import('../terminal/net/access-token.ts')
const { createHttpClient } = await import('../terminal/net/http-client.ts')
const { LiveClient } = await import('../terminal/net/live-client.ts')
const { Session } = await import('../terminal/state/session.ts')
const { createStyle } = await import('../terminal/theme/style.ts')
const { themes } = await import('../terminal/theme/themes.ts')
const { openTerminal } = await import('../terminal/open-terminal.tsx')

/** Rows of step `tick` as the server would send them: all of them change. */
function rowsAt(tick: number): KeyedRow[] {
  return seededTrends(rowCount, tick)
}

function seriesRows(tick: number): KeyedRow[] {
  return Array.from({ length: 168 }, (_, i) => ({
    key: String(i),
    at: new Date(Date.parse(rigAsOf) - (168 - i) * 3_600_000).toISOString(),
    value: i * 1000 + ((i * 37 + tick * 11) % 700),
    state: 'value',
  }))
}

function server(): ScriptedServer {
  const scripted = new ScriptedServer()
  scripted.answers.set('world', [rigWorld])
  scripted.answers.set('trends', rowsAt(0))
  scripted.answers.set('movers', rowsAt(0))
  scripted.answers.set('series', seriesRows(0))
  return scripted
}

async function measureFrames(): Promise<void> {
  const scripted = server()
  let atMs = Date.parse('2026-03-01T12:00:00Z')
  const nowMs = () => atMs
  const noTimer = () => () => {}
  let onLive = () => {}
  const tokens = cacheTokens(async () => '', nowMs)
  const live = new LiveClient({ connect: scripted.connect, tokens, setTimer: noTimer, nowMs, random: () => 0 }, () =>
    onLive(),
  )
  const session = new Session(
    {
      live,
      http: createHttpClient({ url: 'http://127.0.0.1:1', tokens: null }),
      account: null,
      preferences: { load: () => null, save() {} },
      sqlDesk: { load: () => null, save() {} },
      saveFile: async () => '',
      copy: () => false,
      ring() {},
      openBrowser: async () => false,
      setTimer: (ms, run) => {
        if (ms < 1000) queueMicrotask(run)
        return () => {}
      },
      nowMs,
      theme: null,
      onQuit() {},
      onRepaint() {},
    },
    null,
  )
  onLive = () => session.liveChanged()
  const style = createStyle({ theme: themes.amber, depth: 24, isAscii: false, isReducedMotion: false })
  if (!hasCharts) {
    session.perform('pane.3')
    session.perform('pane.close')
    session.perform('pane.close')
  }
  session.setViewers([size], style)
  live.open()
  await new Promise(resolve => setTimeout(resolve, 50))
  const composer = new Composer({ session, live, size, style })
  const draw = mode === 'ours' ? ourRenderer(style) : plainRenderer(mode === 'plain-cells')

  const step = (tick: number, upsert: readonly KeyedRow[]): number => {
    atMs += 100
    scripted.patch('trends', upsert)
    if (hasCharts) scripted.patch('movers', upsert)
    // Charts move twice a second.
    if (hasCharts && tick % 5 === 0) scripted.patch('series', seriesRows(tick))
    return draw(composer.compose(nowMs()))
  }
  let tick = 0
  for (let i = 0; i < warmFrames; i++) step(++tick, rowsAt(tick))
  const feed = Array.from({ length: frames }, () => rowsAt(++tick))
  const before = process.cpuUsage()
  let bytes = 0
  feed.forEach((rows, i) => {
    bytes += step(warmFrames + i, rows)
  })
  const used = process.cpuUsage(before)
  // One row changes, the tape rests on its cell, no flash ends: what is sent is that row.
  atMs += 2000
  composer.compose(nowMs())
  draw(composer.compose(nowMs()))
  const one = rowsAt(tick + 1).slice(20, 21)
  scripted.patch('trends', one)
  const oneRowBytes = draw(composer.compose(nowMs()))
  const cpuMs = (used.user + used.system) / 1000 / frames
  process.stdout.write(
    `${JSON.stringify({ mode, cpuMsPerFrame: cpuMs, bytesPerFrame: bytes / frames, oneRowBytes })}\n`,
  )
  process.exit(0)
}

function ourRenderer(style: ReturnType<typeof createStyle>): (model: FrameModel) => number {
  const cast = new FrameCast(size, style)
  cast.attach({ write: () => true })
  return model => cast.draw(model)
}

/** Ink as one uses it: its own writer, its own width, a line or a cell a `<Text>`. */
function plainRenderer(isCells: boolean): (model: FrameModel) => number {
  let bytes = 0
  const out = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        done()
      },
    }),
    { columns: size.columns, rows: size.rows, isTTY: true },
  )
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => input,
    ref: () => input,
    unref: () => input,
  })
  const view = (model: FrameModel) => (isCells ? <Cells model={model} /> : <Rows model={model} />)
  let ink: ReturnType<typeof render> | null = null
  return model => {
    bytes = 0
    // Ink only asks its streams for what was assigned above. A thousand frames a second means: never throttled.
    ink ??= render(view(model), {
      stdout: out as unknown as NodeJS.WriteStream,
      stdin: input as unknown as NodeJS.ReadStream,
      interactive: true,
      patchConsole: false,
      exitOnCtrlC: false,
      maxFps: 100_000,
    })
    ink.rerender(view(model))
    return bytes
  }
}

/** The same lines, each a `<Text>` that React leaves alone while it stays the same. */
function Rows({ model }: { model: FrameModel }) {
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows}>
      {linesOf(model).map((line, y) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
        <Row key={y} line={line} />
      ))}
    </Box>
  )
}

const Row = memo(({ line }: { line: string }) => <Text wrap="truncate">{line}</Text>)

function linesOf(model: FrameModel): string[] {
  return [...model.header, ...model.body.flatMap(column => column.lines), ...model.footer].slice(0, size.rows)
}

/** The same lines with every run of one colour as a `<Text>` of its own. */
function Cells({ model }: { model: FrameModel }) {
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows}>
      {linesOf(model).map((line, y) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
        <Box key={y} flexDirection="row">
          {line.split(/(?<=\[39m)/).map((run, x) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a run is its place
            <Text key={x}>{run}</Text>
          ))}
        </Box>
      ))}
    </Box>
  )
}

/** Milliseconds from a key to its frame while 50 rows change ten times a second. */
async function measureKeys(): Promise<void> {
  const scripted = server()
  const stdin = new PassThrough()
  let onFrame: ((text: string) => void) | null = null
  const stdout = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      onFrame?.(chunk)
      done()
    },
  })
  const terminal = openTerminal({
    stdin,
    stdout,
    size: () => size,
    onResize: () => () => {},
    url: 'http://127.0.0.1:1',
    token: async () => '',
    env: { depth: 24, isAscii: false, isReducedMotion: false, isAccessible: false, theme: null },
    preferences: { load: () => null, save() {} },
    saveFile: async () => '',
    connect: scripted.connect,
  })
  const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
  await wait(500)
  let tick = 0
  const feed = setInterval(() => {
    tick += 1
    scripted.patch('trends', rowsAt(tick))
    scripted.patch('movers', rowsAt(tick).slice(0, 20))
    if (tick % 5 === 0) scripted.patch('series', seriesRows(tick))
  }, 100)
  await wait(2000)
  const latenciesMs: number[] = []
  const cpuBefore = process.cpuUsage()
  const startedMs = performance.now()
  for (let i = 0; i < 600; i++) {
    // The key is answered by the frame that shows a selection where it was not: an inverse line.
    const shown = new Promise<void>(resolve => {
      onFrame = text => {
        if (text.includes('\u001b[7m')) resolve()
      }
    })
    const pressedMs = performance.now()
    stdin.write(i % 40 < 20 ? 'j' : 'k')
    await shown
    latenciesMs.push(performance.now() - pressedMs)
    onFrame = null
    await wait(20 + (i % 17))
  }
  const used = process.cpuUsage(cpuBefore)
  const elapsedMs = performance.now() - startedMs
  clearInterval(feed)
  await terminal.close()
  latenciesMs.sort((a, b) => a - b)
  const at = (share: number) =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? 0
  const core = (used.user + used.system) / 1000 / elapsedMs
  process.stdout.write(
    `${JSON.stringify({ mode, keyMsP50: at(0.5), keyMsP99: at(0.99), keyMsMax: at(1), coreWhileTyping: core })}\n`,
  )
  process.exit(0)
}

if (mode === 'keys') await measureKeys()
else await measureFrames()
