import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { openTestEngine } from '../../test/media-engine.ts'
import { referenceData } from '../../test/reference-data.ts'
import type { MediaEngine } from '../engine/port.ts'
import type { Picture } from '../picture.ts'
import { type OpenedMedia, openMediaSource } from '../source/open-source.ts'
import { probeMedia } from '../source/probe.ts'
import { exactPicture } from './exact-picture.ts'
import { type FilmstripCell, makeFilmstrip } from './filmstrip.ts'

const media = referenceData('media')

/** Real files through a real ffmpeg: each cell of a strip against the frame at that instant, found in another way. */
describe.skipIf(media === null)('a filmstrip of a real file', () => {
  let engine: MediaEngine
  let folder: string
  const outbound = openOutbound({ configuredOrigins: [] })
  beforeAll(async () => {
    engine = await openTestEngine('ffmpeg')
    folder = await mkdtemp(join(tmpdir(), 'cliptape-filmstrip-'))
  })
  afterAll(async () => {
    await Promise.all([engine.close(), outbound.close()])
    await rm(folder, { recursive: true, force: true })
  })

  it.each([
    ['H.264', 'video/big_buck_bunny_480p_30s.mp4', 64, 36],
    ['H.264 that was filmed on its side', 'odd/rotated_90_bbb_1080p.mp4', 36, 64],
    ['H.264 that was filmed upside down', 'odd/rotated_180_phone.mp4', 64, 36],
    ['HEVC', 'odd/hevc_1080p_10s.mp4', 64, 36],
    ['VP8 in WebM', 'video/big_buck_bunny_720p_30s_vp8.webm', 64, 36],
    ['AV1', 'vertical/vertical_720x1280_4s_av1_hdr10.mp4', 36, 64],
  ])('of %s shows what is there', async (_codec, name, widthPx, heightPx) => {
    const path = join(media ?? '', name)
    const opened = await openMediaSource({ outbound }, { kind: 'file', path })
    try {
      const cells = await stripOf(opened, path, { widthPx, heightPx })
      expect(cells.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3])
      for (const { atSec, picture } of cells) {
        const source = { opened, path, folder }
        const { signal } = new AbortController()
        const exact = await exactPicture(engine, source, { atSec, widthPx, heightPx }, { signal })
        expect(exact.atSec).toBeCloseTo(atSec, 2)
        expect(difference(picture, exact.picture)).toBeLessThan(4)
      }
    } finally {
      await opened.close()
    }
  })

  async function stripOf(opened: OpenedMedia, path: string, size: { widthPx: number; heightPx: number }) {
    const { durationSec } = await probeMedia(opened)
    const cells: FilmstripCell[] = []
    await makeFilmstrip(
      engine,
      { opened, localPath: async () => path },
      { startSec: 0, endSec: durationSec, cellCount: 4, ...size },
      { onCell: cell => cells.push(cell) },
    )
    return cells
  }
})

/** Mean difference of two pictures of one size, of 255. */
function difference(a: Picture, b: Picture): number {
  expect([a.widthPx, a.heightPx, a.rgb.length]).toEqual([b.widthPx, b.heightPx, b.rgb.length])
  return a.rgb.reduce((sum, value, at) => sum + Math.abs(value - (b.rgb[at] ?? 0)), 0) / a.rgb.length
}
