import { afterEach, describe, expect, it } from 'vitest'
import type { Fact, IndexRow } from '../contracts/measures.ts'
import type { KeyedRow } from '../contracts/ws.ts'
import { openRig, type Rig, rigAsOf, type ScriptedServer, seededServer } from './terminal-rig.ts'

// GP, IDX and DES in the whole terminal: typed commands, keys, the mouse and the export, on a headless emulator.

const hourMs = 3_600_000

/** 168 hourly readings up to the data's now; ten of them are missing. */
const readings: KeyedRow[] = Array.from({ length: 168 }, (_, hour) => {
  const isMissing = hour >= 60 && hour < 70
  const at = new Date(Date.parse(rigAsOf) - (167 - hour) * hourMs).toISOString()
  return { key: at, at, value: isMissing ? null : 1_000_000 + hour * 1000, state: isMissing ? 'stale' : 'value' }
})

const facts: Fact[] = [
  ['Identity', 'title', 'Title', '=HYPERLINK("http://example.com")', 'text'] as const,
  ['Identity', 'regions', 'Regions', 'US, DE', 'text'] as const,
  ['Counters', 'views', 'Views', 1_167_000, 'count'] as const,
  ['Counters', 'shares', 'Shares', null, 'count'] as const,
].map(([group, key, label, value, unit]) => ({
  group,
  key,
  label,
  value,
  unit,
  state: value === null ? 'not_provided' : 'value',
  source: 'import:youtube-trending-2017',
  observedAt: rigAsOf,
  note: 'definition 1',
}))

const niches: IndexRow[] = ['gaming', 'brain-rot'].map((niche, i) => ({
  key: niche,
  niche,
  label: niche,
  level: 101.5 + i,
  changePct: 1.5 - i * 3,
  baseAt: '2017-11-01T00:00:00Z',
  constituents: 20,
  velocity: 9000 - i * 1000,
  spark: Array.from({ length: 20 }, (_, x) => 100 + ((x * (i + 2)) % 5)),
}))

function chartServer(): ScriptedServer {
  const server = seededServer()
  server.answers.set('series', readings)
  server.answers.set('describe', facts)
  server.answers.set('index', niches)
  return server
}

let rig: Rig
afterEach(() => rig.end())

async function open(columns: number, rows: number, startCommand: string): Promise<void> {
  rig = await openRig({ columns, rows, startCommand, server: chartServer() })
}
async function press(keys: string): Promise<string> {
  await rig.type(keys)
  await rig.advance(200)
  return rig.lines().join('\n')
}

describe('charts in the terminal', () => {
  it('charts what was typed, and reads out what the crosshair meets', async () => {
    await open(80, 24, 'TOP')
    expect(await press(':youtube:clip001 GP VIEWS 7D\r')).toContain('VIEWS  7d')
    expect(await press('\x1b[F')).toContain('2017-11-14 06:30 UTC  1.17M (1,167,000)')
    expect(await press('\x1b[D')).toContain('2017-11-14 05:30 UTC')
    expect(await press('+')).toContain('3d of 7d')
    expect(await press('\x1b')).toContain('crosshair')
  })

  it('puts the crosshair where the mouse clicks, once the mouse is on', async () => {
    await open(80, 24, 'youtube:clip001 GP')
    const before = rig.lines().join('\n')
    expect(await press('\x1b[<0;40;12M\x1b[<0;40;12m')).toBe(before)
    await press(':MOUSE ON\r')
    expect(await press('\x1b[<0;40;12M\x1b[<0;40;12m')).toMatch(/┊ 2017-11-1\d \d\d:30 UTC/)
  })

  it('compares several subjects, and without colour by digits', async () => {
    rig = await openRig({
      columns: 120,
      rows: 40,
      startCommand: '#a #b GP',
      server: chartServer(),
      env: { depth: 0 },
    })
    const text = rig.lines().join('\n')
    expect(text).toMatch(/^.?1 #a/m)
    expect(text).toMatch(/^.?2 #b/m)
  })

  it('describes a clip with its sources, and saves the facts without running a formula', async () => {
    await open(120, 40, 'youtube:clip001 DES')
    const text = rig.lines().join('\n')
    expect(text).toContain('SEEN TRENDING IN')
    expect(text).toContain('not provided')
    await press('e')
    const [name, csv] = [...rig.saved][0] ?? []
    expect(name).toMatch(/^cliptape-youtube-clip001-des-24h-20171114T063000Z\.csv$/)
    expect(csv).toContain(`Title,"'=HYPERLINK(""http://example.com"")",text`)
  })

  it('walks through the index and opens the clips of a niche', async () => {
    await open(80, 24, 'IDX')
    expect(rig.lines().join('\n')).toContain('101.50')
    expect(await press('j')).toContain('brain-rot  base 2017-11-01')
    await press('\r')
    const asked = rig.server.received.flatMap(message => (message.type === 'subscribe' ? [message.query] : []))
    expect(asked).toContainEqual({ name: 'trends', params: expect.objectContaining({ niche: 'brain-rot' }) })
  })

  it('never erases behind what it has written, because the last column would go with it', async () => {
    await open(80, 24, 'youtube:clip001 GP')
    const before = rig.output().split('\x1b[K').slice(0, -1)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for the move of the cursor
    for (const text of before) expect(text).toMatch(/\x1b\[\d+;\d+H$/)
  })

  it('shows each screen whole at every size', async () => {
    for (const [columns, rows] of [
      [80, 24],
      [120, 40],
      [200, 60],
    ] as const)
      for (const command of ['youtube:clip001 GP', 'IDX', 'youtube:clip001 DES']) {
        if (columns > 80 || command !== 'youtube:clip001 GP') await rig.end()
        await open(columns, rows, command)
        const lines = rig.lines()
        expect(lines).toHaveLength(rows)
        expect(lines.join('')).not.toMatch(/undefined|NaN|\[object/)
      }
  })
})
