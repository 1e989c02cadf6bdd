import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { sampleFile } from '../../test/media-desk.ts'
import { openTestEngine } from '../../test/media-engine.ts'
import type { MediaEngine } from '../engine/port.ts'
import { type FilmstripCell, type FilmstripRequest, makeFilmstrip } from '../filmstrip/filmstrip.ts'
import { keyframesOf } from '../filmstrip/keyframes.ts'
import { matchFingerprints } from '../fingerprint/match.ts'
import { printSound } from '../fingerprint/print-sound.ts'
import { type OpenedMedia, openMediaSource } from '../source/open-source.ts'
import { probeMedia } from '../source/probe.ts'
import { analyzeTimeline, type TimelineSource } from './analyze-timeline.ts'

/** The file that ships, of which all is known, through the engine that every machine has. */
describe('the sample file', () => {
  let engine: MediaEngine
  let opened: OpenedMedia
  let source: TimelineSource
  const outbound = openOutbound({ configuredOrigins: [] })
  beforeAll(async () => {
    engine = await openTestEngine('node-av')
    opened = await openMediaSource({ outbound }, { kind: 'file', path: sampleFile })
    const info = await probeMedia(opened)
    source = { path: sampleFile, info, zeroSec: opened.zeroSec, keyframes: await keyframesOf(opened) }
  })
  afterAll(async () => {
    await opened.close()
    await Promise.all([engine.close(), outbound.close()])
  })

  it('has its cuts, its silences and its keyframes where they were made', async () => {
    const shares: number[] = []
    const { timeline, views, parts, waveform, thumbnails } = await analyzeTimeline(
      engine,
      source,
      { level: 'full' },
      { onProgress: share => shares.push(share) },
    )
    expect(timeline.cuts?.map(({ atSec }) => Math.round(atSec * 10) / 10)).toEqual([12, 20, 30, 40, 50])
    expect(timeline.silences?.map(({ startSec }) => Math.round(startSec))).toEqual([11, 26, 41, 56])
    expect(timeline.keyframes).toEqual(Array.from({ length: 30 }, (_, index) => index * 2))
    expect(timeline.energy?.dbfs).toHaveLength(600)
    expect(waveform?.levels[0]?.minMax).toHaveLength(12_000)
    expect(timeline.thumbnails).toMatchObject({ widthPx: 160, heightPx: 90, columns: 12 })
    expect(thumbnails?.readUInt32BE(16)).toBe(12 * 160)
    expect(shares.at(-1)).toBeGreaterThan(0.9)
    // It is known by its own pictures; its tones sound the same all the time, by which nothing is known.
    const sound = await printSound(engine, source)
    expect(sound?.length).toBeGreaterThan(400)
    expect(matchFingerprints({ pictures: parts, sound }, { pictures: views, sound })).toMatchObject({
      kind: 'picture',
      picture: { speed: 1, isMirrored: false, offsetSec: 0 },
      sound: null,
    })
  })

  it('gives its sound alone at the level that reads nothing else', async () => {
    const { timeline, thumbnails, views } = await analyzeTimeline(engine, source, { level: 'audio' }, {})
    expect(timeline).toMatchObject({ level: 'audio', cuts: null, thumbnails: null })
    expect([timeline.silences?.length, thumbnails, views]).toEqual([4, null, []])
  })

  async function strip(request: Partial<FilmstripRequest>, signal?: AbortSignal) {
    const cells: FilmstripCell[] = []
    await makeFilmstrip(
      engine,
      { opened, localPath: async () => sampleFile },
      { startSec: 0, endSec: 60, cellCount: 10, widthPx: 32, heightPx: 18, ...request },
      { onCell: cell => cells.push(cell), ...(signal && { signal }) },
    )
    return cells
  }

  it('fills a filmstrip from the middle, each cell with the keyframe before its own middle', async () => {
    const cells = await strip({})
    expect(cells.map(({ index }) => index)).toEqual([5, 2, 8, 1, 4, 7, 9, 0, 3, 6])
    const atSec = cells.toSorted((a, b) => a.index - b.index).map(cell => Math.round(cell.atSec))
    expect(atSec).toEqual([2, 8, 14, 20, 26, 32, 38, 44, 50, 56])
    const pictures = cells.map(({ picture }) => Buffer.from(picture.rgb).toString('base64'))
    expect(new Set(pictures).size).toBe(10)
  })

  it('gives cells between two keyframes the same picture', async () => {
    const cells = await strip({ startSec: 2.1, endSec: 3.9, cellCount: 6 })
    expect(cells.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5])
    expect(new Set(cells.map(({ atSec }) => atSec))).toEqual(new Set([2]))
  })

  it('stops filling when nobody wants it any more', async () => {
    const stop = new AbortController()
    stop.abort(new Error('zoomed'))
    await expect(strip({}, stop.signal)).rejects.toThrow('zoomed')
  })
})
