import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CutOptionsSchema, type CutResult } from '../../contracts/media.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import type { DecodedFrame, MediaEngine } from '../engine/port.ts'
import { highRangeOf } from '../source/high-range.ts'
import { openMediaSource } from '../source/open-source.ts'
import { cutClip } from './cut-clip.ts'

const outbound = openOutbound({ configuredOrigins: [] })
/** A minute of 640 × 360 at 30 frames a second, a keyframe every two seconds. */
const sample = fileURLToPath(new URL('../sample/sample.mp4', import.meta.url))
const soundRateHz = 8000
/** Encoders of AAC work in pieces of 1024 samples: sound may be off by one, at 48 kHz. */
const soundOffSecMax = 1024 / 48_000
const lagsMax = Math.ceil(soundOffSecMax * soundRateHz * 4)

type Cut = CutResult & { readonly path: string }

/** Cuts with an engine, and looks at what came out. */
export interface CutBench {
  cut(path: string, span: readonly [number, number], options?: Record<string, unknown>): Promise<Cut>
  /**
   * Compares the first and last frame of a clip with the frames around them in the source, and the sound with the
   * sound there.
   * @param clockSec what decoders say of a time in the source, less what containers say
   */
  expectSame(source: string, cut: Cut, clockSec?: number): Promise<void>
}

/** A bench on an engine; its folders are removed after the tests of the file. */
export function cutBench(open: () => MediaEngine): CutBench {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'cliptape-cut-'))
  })
  afterAll(async () => {
    rmSync(root, { recursive: true, force: true })
    await outbound.close()
  })
  return {
    cut: (path, [startSec, endSec], options = {}) =>
      cutClip(
        { engine: open(), outbound },
        { source: { kind: 'file', path }, startSec, endSec, options: CutOptionsSchema.parse(options) },
        { folder: mkdtempSync(join(root, 'job-')) },
      ),
    async expectSame(source, cut, clockSec = 0) {
      const { startSec, endSec } = cut.actual
      const hasSound = cut.avOffsetMs !== null
      const clip = await looked(open(), cut.path, 0, endSec - startSec + 1, hasSound)
      const fromSec = Math.max(0, startSec + clockSec - 0.5)
      const origin = await looked(open(), source, fromSec, endSec - startSec + 1, hasSound)
      expect(clip.frames).toHaveLength(cut.frameCount ?? 0)
      for (const frame of [clip.frames[0], clip.frames.at(-1)]) {
        const expectedSec = (frame?.atSec ?? 0) + startSec + clockSec
        const unlike = origin.frames.map(one => ({ atSec: one.atSec ?? 0, by: frame ? difference(one, frame) : 255 }))
        const least = Math.min(...unlike.map(one => one.by))
        const expected = unlike.reduce((a, b) =>
          Math.abs(b.atSec - expectedSec) < Math.abs(a.atSec - expectedSec) ? b : a,
        )
        // Still pictures have several frames that are alike: the expected one must be among them.
        expect(expected.by, `the frame at ${expectedSec} s`).toBeLessThanOrEqual(least + 0.05)
        // Light that was mapped before it was made small is a little other than after.
        expect(expected.by).toBeLessThan(origin.isMapped ? 4 : 2)
      }
      const heardFrom = Math.round((startSec + clockSec - origin.fromSec) * soundRateHz)
      const lag = bestLag(clip.sound, origin.sound, heardFrom)
      expect(Math.abs(lag) / soundRateHz).toBeLessThanOrEqual(soundOffSecMax)
    },
  }
}

/**
 * What cutting must do, with whatever engine.
 * @param open the engine, the same one at every call
 */
export function cutSuite(open: () => MediaEngine): void {
  const bench = cutBench(open)

  it('cuts between keyframes to the frame, and encodes only the edges anew', async () => {
    const cut = await bench.cut(sample, [10.5, 17.25])
    expect(cut).toMatchObject({ tier: 'smart', requested: { startSec: 10.5, endSec: 17.25 }, avOffsetMs: 0, notes: [] })
    expect(cut.actual.startSec).toBeCloseTo(10.5, 6)
    expect(cut.actual.endSec).toBeCloseTo(17.2667, 3)
    expect(cut.frameCount).toBe(203)
    // The head of 1.5 s, and the few frames that were not shown in one piece at the end.
    expect(cut.encodedFrameCount).toBeLessThan(45 + 5)
    await bench.expectSame(sample, cut)
  })

  it('copies everything where the edges are keyframes', async () => {
    const cut = await bench.cut(sample, [12, 16])
    expect(cut).toMatchObject({ tier: 'smart', frameCount: 120, encodedFrameCount: 0 })
    await bench.expectSame(sample, cut)
  })

  it('encodes a part without a keyframe as a whole, and goes on from that as a source with far keyframes', async () => {
    const far = await bench.cut(sample, [20.1, 31.1], { crop: '9:16' })
    expect(far).toMatchObject({ tier: 'encode', frameCount: 330, encodedFrameCount: 330 })
    const cut = await bench.cut(far.path, [7.1, 10.3])
    expect(cut).toMatchObject({ tier: 'smart', frameCount: 96 })
    await bench.expectSame(far.path, cut)
    const within = await bench.cut(far.path, [1.1, 2.6])
    expect(within).toMatchObject({ tier: 'encode', frameCount: 45 })
    await bench.expectSame(far.path, within)
  })

  it('means the frame when a time was rounded to milliseconds', async () => {
    const cut = await bench.cut(sample, [3.034, 4.067])
    expect(cut.actual.startSec).toBeCloseTo(3 + 1 / 30, 4)
    expect(cut.frameCount).toBe(31)
  })

  it('copies at once from the keyframe before, and says where it begins for players that look', async () => {
    const cut = await bench.cut(sample, [10.5, 17.25], { mode: 'keyframe' })
    expect(cut).toMatchObject({ tier: 'preview', encodedFrameCount: 0, avOffsetMs: 0 })
    expect(cut.actual.startSec).toBeCloseTo(10.5, 6)
    await bench.expectSame(sample, cut)
  })

  it('writes mov and mkv too, and sound alone as m4a, mp3 and wav', async () => {
    for (const container of ['mov', 'mkv']) {
      const cut = await bench.cut(sample, [30.5, 33], { container })
      expect(cut).toMatchObject({ container, tier: 'smart', frameCount: 75 })
      await bench.expectSame(sample, cut)
    }
    for (const container of ['m4a', 'mp3', 'wav']) {
      const cut = await bench.cut(sample, [30.5, 33], { container, isAudioOnly: true })
      expect(cut).toMatchObject({ container, tier: 'audio', frameCount: null, actual: { startSec: 30.5, endSec: 33 } })
    }
  })

  it.each([
    [[5, 5], 'after its start'],
    [[6, 5], 'after its start'],
    [[-1, 5], 'seconds from the beginning'],
    [[Number.NaN, 5], 'seconds from the beginning'],
    [[1, Number.POSITIVE_INFINITY], 'seconds from the beginning'],
    [[1, 1.2], '0.5 to 600 seconds'],
    [[59, 62], '60.00 s long'],
    [[70, 72], '60.00 s long'],
  ] as const)('refuses the times %j', async (span, words) => {
    await expect(bench.cut(sample, span)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining(words),
    })
  })

  it('shortens a clip that reaches over the end by less than a second, and says so', async () => {
    const cut = await bench.cut(sample, [58, 60.5])
    expect(cut.frameCount).toBe(60)
    expect(cut.notes).toEqual([expect.stringContaining('shortened')])
  })
}

async function looked(
  engine: MediaEngine,
  path: string,
  startSec: number,
  durationSec: number,
  hasSound: boolean,
): Promise<{ frames: DecodedFrame[]; sound: number[]; fromSec: number; isMapped: boolean }> {
  const frames: DecodedFrame[] = []
  const sound: number[] = []
  const media = await openMediaSource({ outbound }, { kind: 'file', path })
  const range = media.video && (await highRangeOf(media.video))
  await media.close()
  await engine.decode(
    {
      input: { kind: 'file', path },
      picture: { widthPx: 48, heightPx: 48, pixels: 'gray', which: 'all', framesMax: 10_000, ...range },
      sound: hasSound ? { rateHz: soundRateHz } : null,
      startSec,
      durationSec,
    },
    { onFrame: frame => void frames.push(frame), onSound: samples => void sound.push(...samples) },
    { cpuSecEstimate: 30 },
  )
  return { frames, sound, fromSec: startSec, isMapped: range?.highRange !== undefined }
}

/** The mean difference of the pixels, of 255. */
function difference(one: DecodedFrame, other: DecodedFrame): number {
  return (
    one.pixels.reduce((sum, value, index) => sum + Math.abs(value - (other.pixels[index] ?? 0)), 0) / one.pixels.length
  )
}

/** By how many samples a sound lies behind where it should be in another; 0 of silence. */
function bestLag(sound: readonly number[], origin: readonly number[], from: number): number {
  const length = Math.min(sound.length, 2 * soundRateHz)
  const unlike = (lag: number): number => {
    let sum = 0
    for (let index = lagsMax; index < length - lagsMax; index += 3)
      sum += Math.abs((sound[index + lag] ?? 0) - (origin[from + index] ?? 0))
    return sum
  }
  const lags = Array.from({ length: 2 * lagsMax + 1 }, (_, index) => index - lagsMax)
  // Nearest to none first, so that silence and even tones count as in place.
  lags.sort((a, b) => Math.abs(a) - Math.abs(b))
  return lags.reduce((best, lag) => (unlike(lag) < unlike(best) * 0.98 ? lag : best), 0)
}
