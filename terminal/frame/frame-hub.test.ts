import xterm from '@xterm/headless'
import { afterEach, expect, test } from 'vitest'
import { plainEnv, rigClock, seededServer, seededTrends } from '../../test/terminal-rig.ts'
import type { Size } from '../layout/layout.ts'
import { cacheTokens } from '../net/access-token.ts'
import { createHttpClient } from '../net/http-client.ts'
import { LiveClient } from '../net/live-client.ts'
import { Session } from '../state/session.ts'
import { FrameHub } from './frame-hub.ts'

// Several viewers of one session: what an SSH host will do.

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

const settled = () => new Promise<void>(resolve => setImmediate(resolve))

async function openHub() {
  const server = seededServer()
  const clock = rigClock()
  let onLive = () => {}
  const tokens = cacheTokens(async () => 'hub', clock.nowMs)
  const live = new LiveClient(
    { connect: server.connect, tokens, setTimer: clock.setTimer, nowMs: clock.nowMs, random: () => 0 },
    () => onLive(),
  )
  const session = new Session(
    {
      live,
      http: createHttpClient({ url: 'http://127.0.0.1:1', tokens: null }),
      account: null,
      preferences: { load: () => null, save() {} },
      sqlDesk: { load: () => null, save() {} },
      saveFile: async name => name,
      copy: () => false,
      ring() {},
      openBrowser: async () => false,
      setTimer: clock.setTimer,
      nowMs: clock.nowMs,
      theme: null,
      onQuit() {},
      onRepaint() {},
    },
    null,
  )
  onLive = () => session.liveChanged()
  const hub = new FrameHub({ session, live, nowMs: clock.nowMs, setTimer: clock.setTimer })
  live.open()
  ends.push(() => {
    hub.close()
    session.close()
    live.close()
  })
  return { server, clock, session, hub }
}

function viewerOf(size: Size) {
  const screen = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true, scrollback: 0 })
  const received: string[] = []
  return {
    received,
    write(text: string) {
      received.push(text)
      screen.write(text)
      return true
    },
    async lines() {
      await new Promise<void>(resolve => screen.write('', resolve))
      return Array.from({ length: size.rows }, (_, y) => screen.buffer.active.getLine(y)?.translateToString(true) ?? '')
    },
  }
}

test('sends viewers of one size the same bytes, drawn once', async () => {
  const { hub, server, clock, session } = await openHub()
  const size = { columns: 100, rows: 30 }
  const [one, two] = [viewerOf(size), viewerOf(size)]
  hub.add(one, size, plainEnv)
  hub.add(two, size, plainEnv)
  await settled()
  clock.advance(300)
  server.patch('trends', seededTrends(60, 5))
  clock.advance(300)
  session.perform('move.down')
  await settled()
  expect(two.received.length).toBeGreaterThan(2)
  // The strings are not only equal: they are the same ones, made once.
  expect(two.received.at(-1)).toBe(one.received.at(-1))
  expect(await two.lines()).toEqual(await one.lines())
})

test('shows a late joiner exactly what the others see', async () => {
  const { hub, server, clock, session } = await openHub()
  const size = { columns: 120, rows: 40 }
  const early = viewerOf(size)
  hub.add(early, size, plainEnv)
  await settled()
  for (let tick = 1; tick < 20; tick++) {
    server.patch('trends', seededTrends(60, tick))
    clock.advance(100)
    session.perform(tick % 3 === 0 ? 'move.down' : 'sort.next')
    await settled()
    const late = viewerOf(size)
    hub.add(late, size, plainEnv)
    expect(await late.lines()).toEqual(await early.lines())
  }
})

test('lays each size out for itself while the selection is shared', async () => {
  const { hub, clock, session } = await openHub()
  const [small, large] = [viewerOf({ columns: 80, rows: 24 }), viewerOf({ columns: 200, rows: 60 })]
  hub.add(small, { columns: 80, rows: 24 }, plainEnv)
  hub.add(large, { columns: 200, rows: 60 }, plainEnv)
  await settled()
  clock.advance(300)
  session.perform('move.last')
  await settled()
  clock.advance(300)
  expect((await small.lines()).join('\n')).toContain('60/60')
  expect((await large.lines()).join('\n')).toContain('60/60')
  expect((await large.lines())[3]).toContain('GP')
  session.perform('command.open')
  session.handle({ type: 'key', key: 'M', text: 'M' })
  await settled()
  for (const viewer of [small, large]) expect((await viewer.lines()).at(-2)).toContain('> M')
})

test('gives each viewer the colours that its terminal has', async () => {
  const { hub, clock } = await openHub()
  const size = { columns: 80, rows: 24 }
  const [full, none] = [viewerOf(size), viewerOf(size)]
  hub.add(full, size, plainEnv)
  hub.add(none, size, { ...plainEnv, depth: 0 })
  await settled()
  clock.advance(300)
  expect(full.received.join('')).toContain('38;2;')
  expect(none.received.join('')).not.toContain('38;')
  expect(await none.lines()).toEqual(await full.lines())
})
