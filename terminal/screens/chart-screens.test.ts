import xterm from '@xterm/headless'
import { describe, expect, it } from 'vitest'
import type { Fact, IndexRow } from '../../contracts/measures.ts'
import { type LiveQueryName, type LiveRow, liveQueries } from '../../contracts/ws.ts'
import { noSql, noSqlRuns } from '../../test/terminal-rig.ts'
import { parseCommand } from '../command/grammar.ts'
import { createHttpClient } from '../net/http-client.ts'
import type { LiveSnapshot, LiveStatus } from '../state/live-data.ts'
import { createStyle } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'
import { findScreen } from './registry.ts'
import type { ActionCall, OpenScreen, ScreenDeps, ScreenView } from './screen.ts'

const hourMs = 3_600_000
const nowMs = Date.parse('2017-11-20T06:30:00Z')
const nowIso = new Date(nowMs).toISOString()

type Rows = { [N in LiveQueryName]?: readonly LiveRow<N>[] }

/** 168 hourly readings up to now; hours 60 to 80 are missing, hour 100 is a spike. */
const series: LiveRow<'series'>[] = Array.from({ length: 168 }, (_, hour) => {
  const isMissing = hour >= 60 && hour <= 80
  return {
    key: String(hour),
    at: new Date(nowMs - (168 - hour) * hourMs).toISOString(),
    value: isMissing ? null : 1_000_000 + hour * 10_000 + (hour === 100 ? 3_000_000 : 0),
    state: isMissing ? 'stale' : 'value',
  }
})

const index: IndexRow[] = ['music', 'gaming', 'brain-rot'].map((niche, i) => ({
  key: niche,
  niche,
  label: niche,
  level: [95.5, 101.42, null][i] ?? null,
  changePct: [-3, 0.4, null][i] ?? null,
  baseAt: '2017-11-14T00:00:00Z',
  constituents: 20 + i,
  velocity: [50_000, 100_000, null][i] ?? null,
  spark: Array.from({ length: 24 }, (_, j) => (j > 8 && j < 12 ? null : 100 + i * (j % 7))),
}))

const fact = (group: string, key: string, label: string, rest: Partial<Fact> & Pick<Fact, 'value' | 'unit'>): Fact => ({
  group,
  key,
  label,
  state: 'value',
  source: 'kaggle-us-2017',
  observedAt: '2017-11-20T03:30:00Z',
  note: 'definition 1',
  ...rest,
})
const facts: Fact[] = [
  fact('Identity', 'title', 'Title', {
    value: '日本語 a title that is wide and long enough to be cut 🎬',
    unit: 'text',
  }),
  fact('Identity', 'publishedAt', 'Published', { value: '2017-11-13T17:13:01.000Z', unit: 'instant' }),
  fact('Identity', 'duration', 'Duration', { value: 3723, unit: 'seconds' }),
  fact('Identity', 'regions', 'Seen in', { value: 'US, DE, BR', unit: 'text' }),
  fact('Counters', 'views', 'Views', { value: 1_234_567, unit: 'count' }),
  fact('Counters', 'shares', 'Shares', { value: null, unit: 'count', state: 'not_provided', observedAt: null }),
  fact('Measures', 'velocity', 'Velocity', { value: 1234.5, unit: 'perHour' }),
  fact('Measures', 'engagement', 'Engagement', { value: 0.0345, unit: 'ratio', note: 'likes + comments over views' }),
]

const rows: Rows = { series, index, describe: facts }

function viewOf(o: {
  width: number
  height: number
  rows?: Rows
  status?: LiveStatus
  isAscii?: boolean
  depth?: 0 | 24
  theme?: 'amber' | 'mono'
}): ScreenView {
  const style = createStyle({
    theme: themes[o.theme ?? 'amber'],
    depth: o.depth ?? 24,
    isAscii: o.isAscii ?? false,
    isReducedMotion: false,
  })
  const live = <N extends LiveQueryName>(query: { name: N; params: unknown }): LiveSnapshot<N> => {
    expect(liveQueries[query.name].params.safeParse(query.params).error).toBeUndefined()
    const found = (o.rows ?? rows)[query.name]
    return {
      status: o.status ?? 'live',
      rows: found ?? [],
      asOf: found === undefined ? null : nowIso,
      message: o.status === 'error' ? 'Too many subscriptions.' : '',
      statusSinceMs: nowMs - 12_000,
      changedAtMs: new Map(),
    }
  }
  return {
    width: o.width,
    height: o.height,
    style,
    live,
    liveAny: () => ({ status: 'loading', asOf: null, message: '', statusSinceMs: 0, changedAtMs: new Map() }),
    liveSql: () => {
      throw new Error('No screen here shows SQL.')
    },
    resource: () => ({ status: 'loading', body: null, message: '' }),
    pictures: () => ({ status: 'loading', cells: new Map(), message: '' }),
    ...noSql,
    serverUrl: 'http://127.0.0.1:1',
    nowMs,
    dataNowMs: nowMs,
    isFocused: true,
    hasPng: false,
  }
}

function open(text: string): OpenScreen {
  const parsed = parseCommand(text, { focusedSubject: null })
  if (!parsed.ok) throw new Error(parsed.message)
  const screen = findScreen(parsed.command.fn)?.open(parsed.command)
  if (screen === undefined) throw new Error(`There is no screen for ${text}.`)
  return screen
}

function act(screen: OpenScreen, view: ScreenView, ...calls: (ActionCall['name'] | ActionCall)[]) {
  const ran: string[] = []
  const deps: ScreenDeps = {
    ...view,
    run: command => ran.push(command),
    say: () => {},
    http: createHttpClient({ url: 'http://127.0.0.1:1', tokens: null }),
    account: null,
    ask: () => {},
    refresh: () => {},
    openBrowser: async () => false,
    ...noSqlRuns,
    download: () => {},
    exportRows: () => {},
    savePicture: () => {},
    copy: () => {},
  }
  let now = screen
  for (const call of calls) now = now.act(typeof call === 'string' ? { name: call } : call, deps) ?? now
  return { screen: now, ran }
}

/** What a real terminal of the size of the body shows, row by row, without trailing spaces. */
async function shown(lines: readonly string[], width: number): Promise<string[]> {
  const terminal = new xterm.Terminal({ cols: width, rows: lines.length, allowProposedApi: true })
  await new Promise<void>(done => terminal.write(lines.join('\r\n'), done))
  const { active } = terminal.buffer
  // A row that is one cell too wide would have wrapped, and pushed the first row out of the screen.
  expect(active.baseY).toBe(0)
  const text = lines.map((_, y) => active.getLine(y)?.translateToString().trimEnd() ?? '')
  terminal.dispose()
  return text
}

const commands = [
  'youtube:dQw4w9WgXcQ GP',
  'youtube:dQw4w9WgXcQ #b @tiktok:c GP BARS',
  'IDX',
  'youtube:dQw4w9WgXcQ DES 7D',
]
const sizes = [
  [80, 20],
  [120, 36],
  [200, 56],
  [58, 12],
  [30, 5],
] as const
const looks = [{}, { depth: 0 }, { isAscii: true }, { isAscii: true, depth: 0 }, { theme: 'mono' }] as const

describe.each(commands)('%s', command => {
  it('fills its body exactly, at every size and in every degree of plainness', async () => {
    for (const [width, height] of sizes)
      for (const look of looks) {
        const view = viewOf({ width, height, ...look })
        const lines = open(command).draw(view)
        expect(lines).toHaveLength(height)
        const text = await shown(lines, width)
        // Titles of others may hold anything; what we draw ourselves is ASCII when it has to be.
        if ('isAscii' in look) expect(text.join('').replace(/日本語|🎬/g, '')).toMatch(/^[\x20-\x7e]*$/)
      }
  })

  it('looks different when it loads, is empty, refused, stale or cut off', async () => {
    const pictures = await Promise.all(
      (['loading', 'live', 'error', 'stale', 'disconnected'] as const).map(async status => {
        const view = viewOf({ width: 80, height: 20, status, rows: {} })
        return (await shown(open(command).draw(view), 80)).join('\n')
      }),
    )
    expect(new Set(pictures).size).toBe(5)
    expect(pictures[2]).toContain('Too many subscriptions.')
  })

  it('keeps the last rows in sight, marked, when it is no longer live', async () => {
    const live = (await shown(open(command).draw(viewOf({ width: 120, height: 36 })), 120)).join('\n')
    for (const [status, mark] of [
      ['stale', 'STALE 12s'],
      ['disconnected', 'DISCONNECTED 12s, last known'],
    ] as const) {
      const text = (await shown(open(command).draw(viewOf({ width: 120, height: 36, status })), 120)).join('\n')
      expect(text).toContain(mark)
      expect(live).not.toContain(mark)
    }
  })

  it('has a title that opens the same screen again', () => {
    const screen = open(command)
    expect(open(screen.title()).title()).toBe(screen.title())
    expect(open(screen.title()).queries()).toEqual(screen.queries())
  })
})

describe('GP', () => {
  const view = viewOf({ width: 80, height: 20 })
  const clip = 'youtube:dQw4w9WgXcQ GP'

  it('draws axes, gap and spike', async () => {
    expect((await shown(open(clip).draw(view), 80)).join('\n')).toMatchSnapshot()
  })

  it('reads out the reading under the crosshair, and why there is none', async () => {
    const { screen } = act(open(clip), view, 'cursor.last')
    expect((await shown(screen.draw(view), 80)).at(-1)).toBe(
      '┊ 2017-11-20 05:30 UTC  2.67M (2,670,000)  +10K since 2017-11-20 04:30',
    )
    const first = act(screen, view, 'cursor.first', ...new Array<'cursor.right'>(60).fill('cursor.right')).screen
    expect((await shown(first.draw(view), 80)).at(-1)).toBe('┊ 2017-11-15 18:30 UTC  no reading recent enough')
    expect(act(first, view, 'back').screen.draw(view)).toEqual(open(clip).draw(view))
  })

  it('zooms and pans, and says what part of the window it shows', async () => {
    const zoomed = act(open(clip), view, 'cursor.last', 'zoom.in', 'zoom.in').screen
    expect((await shown(zoomed.draw(view), 80))[0]).toContain('1d of 7d')
    const panned = act(zoomed, view, 'pan.left').screen
    expect(panned.draw(view)).not.toEqual(zoomed.draw(view))
    expect(act(panned, view, 'zoom.reset', 'back').screen.draw(view)).toEqual(open(clip).draw(view))
  })

  it('puts the crosshair where the mouse is, and ignores it beside the chart', async () => {
    const at = { x: 40, y: 8 }
    const pressed = act(open(clip), view, { name: 'pointer.press', at }).screen
    const lines = await shown(pressed.draw(view), 80)
    expect([39, 40, 41].some(x => [...(lines[4] ?? '').padEnd(80)][x] === '┊')).toBe(true)
    expect(act(open(clip), view, { name: 'pointer.press', at: { x: 2, y: 0 } }).screen.draw(view)).toEqual(
      open(clip).draw(view),
    )
  })

  it('asks for other data when measure, window or step change', () => {
    const params = (screen: OpenScreen) => screen.queries()[0]?.params
    const { screen } = act(open(clip), view, 'chart.metric', 'chart.bucket', 'platform.tiktok')
    expect(params(screen)).toMatchObject({ metric: 'gain', period: '7d', bucket: '1h', platform: 'tiktok' })
    expect(params(act(screen, view, 'chart.period').screen)).toMatchObject({ metric: 'gain', period: '30d' })
  })

  it('draws bars, and the classic line only where nothing is missing', async () => {
    const style = (calls: ActionCall['name'][]) => act(open(clip), view, ...calls).screen.draw(view)
    expect((await shown(style(['chart.style']), 80)).join('')).toContain('█')
    expect(style(['chart.style', 'chart.style'])).toEqual(open(clip).draw(view))
    const whole = viewOf({ width: 80, height: 20, rows: { series: series.slice(81) } })
    expect(open(`${clip} CLASSIC`).draw(whole)).not.toEqual(open(clip).draw(whole))
  })

  it('follows the selection of a linked pane, and describes its subject', () => {
    const followed = open(clip).follow({ type: 'topic', id: 'x' })
    expect(followed?.title()).toBe('#x GP VIEWS 7D')
    expect(act(open(clip), view, 'chart.describe').ran).toEqual(['youtube:dQw4w9WgXcQ DES'])
  })

  it('exports every curve with the state of each reading', () => {
    const list = open('youtube:x #b GP').list(view)
    expect(list?.rows).toHaveLength(336)
    expect(list?.rows[60]).toEqual({
      subject: 'youtube:x',
      at: series[60]?.at,
      metric: 'views',
      value: null,
      state: 'stale',
    })
  })
})

describe.each(['GP', 'DES'] as const)('%s without a subject', fn => {
  it('says how to give it one', async () => {
    const view = viewOf({ width: 80, height: 10 })
    const screen = findScreen(fn)?.open({ fn, subject: null, args: {} })
    expect(screen?.queries()).toEqual([])
    expect((await shown(screen?.draw(view) ?? [], 80)).join('\n')).toContain(`${fn} of what?`)
    expect(screen?.follow({ type: 'topic', id: 'x' })?.queries()).not.toEqual([])
    const searching = findScreen(fn)?.open({ fn, subject: { type: 'search', text: '@mrbeast' }, args: {} })
    expect((await shown(searching?.draw(view) ?? [], 80)).join('\n')).toContain('Looking for @mrbeast')
  })
})

describe('IDX', () => {
  const view = viewOf({ width: 120, height: 30 })

  it('draws the table, the course and the rivals', async () => {
    expect((await shown(open('IDX').draw(view), 120)).join('\n')).toMatchSnapshot()
  })

  it('sorts, selects and opens the clips of a niche', () => {
    const { screen, ran } = act(open('IDX'), view, 'sort.next', 'sort.previous', 'row.open', 'move.down', 'row.open')
    expect(ran).toEqual(['TOP NICHE=gaming 7D', 'TOP NICHE=music 7D'])
    expect(screen.copyText(view)).toBe('music')
    expect(screen.list(view)?.rows.map(row => row.niche)).toEqual(['gaming', 'music', 'brain-rot'])
    expect(act(open('IDX'), view, { name: 'pointer.press', at: { x: 3, y: 3 } }).screen.copyText(view)).toBe(
      'brain-rot',
    )
  })

  it('asks for another window and platform', () => {
    const { screen } = act(open('IDX'), view, 'period.next', 'platform.youtube')
    expect(screen.title()).toBe('IDX 30D YOUTUBE')
    expect(act(screen, view, 'move.first').screen.queries()[0]?.params).toEqual({ period: '30d', platform: 'youtube' })
  })
})

describe('DES', () => {
  it('shows each fact with source and age, and the definition of the selected one', async () => {
    const view = viewOf({ width: 80, height: 20 })
    const selected = act(open('youtube:x DES'), view, 'move.last').screen
    const lines = await shown(selected.draw(view), 80)
    expect(lines.join('\n')).toMatchSnapshot()
    expect(lines.at(-1)).toBe('kaggle-us-2017  read 2017-11-20 03:30 UTC, 3h ago  likes + comments over views')
  })

  it('draws the course of views and a map of the countries where there is room', async () => {
    const view = viewOf({ width: 160, height: 44 })
    const lines = await shown(open('youtube:x DES 7D').draw(view), 160)
    expect(lines[0]).toContain('VIEWS, LAST 7D')
    expect(lines.join('')).toContain('SEEN TRENDING IN')
    expect(lines.join('').split('●')).toHaveLength(4)
  })

  it('draws a gauge of engagement where no country is known', async () => {
    const view = viewOf({
      width: 160,
      height: 44,
      rows: { ...rows, describe: facts.filter(each => each.key !== 'regions') },
    })
    expect((await shown(open('youtube:x DES 7D').draw(view), 160)).join('')).toContain('ENGAGEMENT  3.45%')
  })

  it('names its subject for completion, links and the chart', () => {
    const view = viewOf({ width: 80, height: 20 })
    expect(open('youtube:x DES').known(view)).toEqual([
      { subject: { type: 'clip', id: 'youtube:x' }, title: facts[0]?.value },
    ])
    expect(open('youtube:x DES').follow({ type: 'creator', id: 'tiktok:y' })?.title()).toBe('@tiktok:y DES 24H')
    expect(act(open('youtube:x DES 7D'), view, 'row.open').ran).toEqual(['youtube:x GP VIEWS 7D'])
    expect(open('youtube:x DES').list(view)?.rows).toHaveLength(facts.length)
  })
})
