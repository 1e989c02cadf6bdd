import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Span, TimelineLevel } from '../../contracts/timeline.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { openTestEngine } from '../../test/media-engine.ts'
import { referenceData } from '../../test/reference-data.ts'
import type { MediaEngine } from '../engine/port.ts'
import { keyframesOf } from '../filmstrip/keyframes.ts'
import { matchPictures } from '../fingerprint/picture-match.ts'
import { openMediaSource } from '../source/open-source.ts'
import { probeMedia } from '../source/probe.ts'
import { analyzeTimeline } from './analyze-timeline.ts'

const media = referenceData('media')

/** Real files, with what is known to be in them, through a real ffmpeg. */
describe.skipIf(media === null)('the timeline of a real file', () => {
  let engine: MediaEngine
  const outbound = openOutbound({ configuredOrigins: [] })
  beforeAll(async () => {
    engine = await openTestEngine('ffmpeg')
  })
  afterAll(() => Promise.all([engine.close(), outbound.close()]))

  async function analyzed(name: string, level: TimelineLevel) {
    const path = `${media}/${name}`
    const opened = await openMediaSource({ outbound }, { kind: 'file', path })
    try {
      const info = await probeMedia(opened)
      const source = { path, info, zeroSec: opened.zeroSec, keyframes: await keyframesOf(opened) }
      return await analyzeTimeline(engine, source, { level }, {})
    } finally {
      await opened.close()
    }
  }

  it('has every cut of a film that was put together of ten, to within two frames, and no other', async () => {
    const { timeline } = await analyzed('video/known_cuts_51s_360p.mp4', 'full')
    const table = (await readFile(`${media}/video/known_cuts_51s_truth.csv`, 'utf8')).trim().split('\n').slice(2)
    const known = table.map(line => Number(line.split(',')[1]))
    expect(timeline.cuts?.map(({ atSec }) => Math.round(atSec))).toEqual(known)
    for (const [index, cut] of (timeline.cuts ?? []).entries()) {
      expect(Math.abs(cut.atSec - (known[index] ?? 0))).toBeLessThan(0.11)
    }
  })

  it('finds nearly all of them among keyframes, for a fraction of the work', async () => {
    const full = await analyzed('video/known_cuts_51s_360p.mp4', 'full')
    const { timeline, usage, views } = await analyzed('video/known_cuts_51s_360p.mp4', 'keyframes')
    expect(timeline.cuts?.length).toBeGreaterThanOrEqual(8)
    expect(timeline.keyframes).toHaveLength(10)
    expect(timeline.thumbnails?.atSec).toHaveLength(10)
    expect(usage.cpuSec ?? 0).toBeLessThan(full.usage.cpuSec ?? 0)
    expect(matchPictures(full.parts, views)).toMatchObject({ speed: 1, isMirrored: false })
  })

  it('calls silent what nobody says in a meeting', async () => {
    const { timeline } = await analyzed('speech/meeting_139s_768x432.mp4', 'audio')
    const table = (await readFile(`${media}/speech/meeting_139s_speech_truth.csv`, 'utf8')).trim().split('\n').slice(1)
    const spoken = table.map(line => {
      const [startSec = 0, endSec = 0] = line.split(',').map(Number)
      return { startSec, endSec }
    })
    const { precision, recall } = agreement(timeline.silences ?? [], spoken, timeline.durationSec)
    expect(precision).toBeGreaterThan(0.84)
    expect(recall).toBeGreaterThan(0.84)
    expect(timeline).toMatchObject({ cuts: null, thumbnails: null })
  })

  it('tells loud from silent, with the waveform and the pictures of all of it', async () => {
    const { timeline, waveform, thumbnails, views } = await analyzed('speech/loud_and_silent_42s_720p.mp4', 'keyframes')
    expect(timeline.silences?.length).toBeGreaterThanOrEqual(5)
    expect(timeline.energy?.dbfs.length).toBeCloseTo(425, -1)
    expect(waveform?.levels[0]?.minMax.length).toBeCloseTo(8490, -2)
    expect(thumbnails?.subarray(1, 4).toString()).toBe('PNG')
    expect(views.map(({ view }) => view)).toEqual(['full', 'upright', 'half', 'inner'])
    for (const moment of timeline.moments) {
      expect(moment.why).toMatch(/^[A-Z].+\.$/)
      expect(moment.endSec).toBeLessThanOrEqual(timeline.durationSec)
    }
  })

  it('says of what a file does not have that it is not there, not that it is empty', async () => {
    const sound = await analyzed('odd/audio_only_two_51_tracks.mp4', 'full')
    expect(sound.timeline).toMatchObject({ level: 'audio', cuts: null, keyframes: null, thumbnails: null })
    expect(sound.timeline.energy?.dbfs.length).toBeGreaterThan(45)
    const picture = await analyzed('odd/vp9_in_mp4_no_audio.mp4', 'full')
    expect(picture.timeline).toMatchObject({ energy: null, speech: null, silences: null, peaks: null })
    expect(picture.timeline.cuts).not.toBeNull()
    expect(picture.timeline.thumbnails?.atSec.length).toBeGreaterThan(20)
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    const path = `${media}/video/big_buck_bunny_480p_30s.mp4`
    const opened = await openMediaSource({ outbound }, { kind: 'file', path })
    const source = { path, info: await probeMedia(opened), zeroSec: 0, keyframes: null }
    await expect(analyzeTimeline(engine, source, { level: 'full' }, { signal: stop.signal })).rejects.toThrow('enough')
    await opened.close()
  })
})

/** Of what is called silent, how much nobody speaks in; and of that, how much is called silent. In steps of 10 ms. */
function agreement(silences: readonly Span[], spoken: readonly Span[], durationSec: number) {
  const within = (spans: readonly Span[], sec: number) =>
    spans.some(({ startSec, endSec }) => sec >= startSec && sec < endSec)
  const counts = { both: 0, silentOnly: 0, unspokenOnly: 0 }
  for (let sec = 0; sec < durationSec; sec += 0.01) {
    const isSilent = within(silences, sec)
    const isUnspoken = !within(spoken, sec)
    if (isSilent && isUnspoken) counts.both += 1
    else if (isSilent) counts.silentOnly += 1
    else if (isUnspoken) counts.unspokenOnly += 1
  }
  return {
    precision: counts.both / (counts.both + counts.silentOnly),
    recall: counts.both / (counts.both + counts.unspokenOnly),
  }
}
