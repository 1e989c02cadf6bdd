import { describe, expect, it } from 'vitest'
import { SeriesParamsSchema } from '../../contracts/measures.ts'
import { parseCommand } from '../command/grammar.ts'
import { type GpLoaded, type GpState, gpBounds, gpStateOf, moveGp, seriesParams } from './gp-state.ts'

const hourMs = 3_600_000
const loaded: GpLoaded = {
  bounds: { fromMs: 0, toMs: 24 * hourMs },
  instants: Array.from({ length: 25 }, (_, hour) => hour * hourMs),
}

function open(text: string): GpState {
  const parsed = parseCommand(text, { focusedSubject: null })
  if (!parsed.ok) throw new Error(parsed.message)
  return gpStateOf(parsed.command)
}

describe('gpStateOf', () => {
  it('reads subjects, measure, window and style from the command', () => {
    expect(open('#a youtube:x GP GAIN 24H 1H BARS TT')).toEqual({
      subjects: [
        { type: 'topic', id: 'a' },
        { type: 'clip', id: 'youtube:x' },
      ],
      metric: 'gain',
      period: '24h',
      range: null,
      bucket: '1h',
      platform: 'tiktok',
      style: 'bars',
      window: null,
      cursorAtMs: null,
    })
  })

  it('makes parameters that the contract accepts', () => {
    for (const text of ['#a GP', 'youtube:x GP GAIN 24H', '@tiktok:y GP FROM=2017-11-14 TO=2017-11-20 BUCKET=1D']) {
      const state = open(text)
      for (const subject of state.subjects)
        expect(SeriesParamsSchema.safeParse(seriesParams(state, subject)).error).toBeUndefined()
    }
  })

  it('asks nothing about a search before it is resolved', () => {
    const state = open('@mrbeast GP')
    expect(state.subjects.map(subject => seriesParams(state, subject))).toEqual([null])
  })

  it('reaches over the named period up to the data, or over the asked range', () => {
    expect(gpBounds(open('#a GP 1H'), 5 * hourMs)).toEqual({ fromMs: 4 * hourMs, toMs: 5 * hourMs })
    expect(gpBounds(open('#a GP FROM=1970-01-02 TO=1970-01-03'), 0)).toEqual({ fromMs: 24 * hourMs, toMs: 48 * hourMs })
  })
})

describe('moveGp', () => {
  const whole = open('#a GP 24H')
  const move = (
    state: GpState,
    ...types: ('zoomIn' | 'zoomOut' | 'panLeft' | 'panRight' | 'zoomAll' | 'cursorOff')[]
  ) => types.reduce((now, type) => moveGp(now, { type }, loaded), state)

  it('zooms in around the crosshair and out again to the whole', () => {
    const marked = moveGp(whole, { type: 'cursorTo', atMs: 6 * hourMs }, loaded)
    expect(move(marked, 'zoomIn').window).toEqual({ fromMs: 3 * hourMs, toMs: 15 * hourMs })
    expect(move(marked, 'zoomIn', 'zoomOut').window).toBeNull()
    expect(move(marked, 'zoomIn', 'zoomIn', 'zoomAll').window).toBeNull()
  })

  it('asks for the next longer period when it zooms out of the whole', () => {
    expect(move(whole, 'zoomOut').period).toBe('7d')
    expect(move(open('#a GP 30D'), 'zoomOut').period).toBe('30d')
  })

  it('pans inside what is loaded', () => {
    const zoomed = move(whole, 'zoomIn')
    expect(zoomed.window).toEqual({ fromMs: 6 * hourMs, toMs: 18 * hourMs })
    expect(move(zoomed, 'panRight').window).toEqual({ fromMs: 9 * hourMs, toMs: 21 * hourMs })
    expect(move(zoomed, 'panLeft', 'panLeft', 'panLeft', 'panLeft').window?.fromMs).toBe(0)
    expect(move(whole, 'panLeft').window).toBeNull()
  })

  it('steps the crosshair from reading to reading, and the window follows', () => {
    const first = moveGp(whole, { type: 'cursor', by: -1 }, loaded)
    expect(first.cursorAtMs).toBe(24 * hourMs)
    expect(moveGp(first, { type: 'cursor', by: -2 }, loaded).cursorAtMs).toBe(22 * hourMs)
    const zoomed = { ...first, window: { fromMs: 0, toMs: 4 * hourMs }, cursorAtMs: 4 * hourMs }
    expect(moveGp(zoomed, { type: 'cursor', by: 1 }, loaded).window).toEqual({ fromMs: hourMs, toMs: 5 * hourMs })
    expect(move(first, 'cursorOff').cursorAtMs).toBeNull()
  })

  it('offers only steps that the server gives for this length', () => {
    const month = { bounds: { fromMs: 0, toMs: 720 * hourMs }, instants: [] }
    expect(moveGp(open('#a GP 30D'), { type: 'bucket', by: 1 }, month).bucket).toBe('1h')
  })

  it('goes round the measures, styles, buckets and periods', () => {
    expect(moveGp(whole, { type: 'metric', by: -1 }, loaded).metric).toBe('followers')
    expect(moveGp(whole, { type: 'style', by: 1 }, loaded).style).toBe('bars')
    expect(moveGp(whole, { type: 'bucket', by: 1 }, loaded).bucket).toBe('5m')
    expect(moveGp({ ...whole, bucket: '6h' }, { type: 'bucket', by: 1 }, loaded).bucket).toBeNull()
    expect(moveGp(open('#a GP 1H'), { type: 'period', by: -1 }, loaded).period).toBe('30d')
  })
})
