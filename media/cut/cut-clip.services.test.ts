import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestEngine } from '../../test/media-engine.ts'
import { referenceData } from '../../test/reference-data.ts'
import type { MediaEngine } from '../engine/port.ts'
import { cutBench, cutSuite } from './cut-suite.ts'

let engine: MediaEngine
beforeAll(async () => {
  engine = await openTestEngine('ffmpeg')
})
afterAll(() => engine.close())

describe('cutting with the ffmpeg program', () => cutSuite(() => engine))

const media = referenceData('media')

describe.skipIf(media === null)('clips of real files begin and end with the frames asked for', () => {
  const bench = cutBench(() => engine)

  it.each([
    ['video/big_buck_bunny_480p_30s.mp4', 7.35, 17.35, 'smart'],
    ['video/known_cuts_51s_360p.mp4', 10.1, 31.7, 'smart'],
    ['video/burned_timestamps_240p_15s.mp4', 3.21, 9.87, 'smart'],
    ['speech/loud_and_silent_42s_720p.mp4', 3.3, 12.2, 'smart'],
    ['speech/meeting_139s_768x432.mp4', 33.3, 60, 'smart'],
    ['vertical/vertical_404x720_24s_bbb_cropped.mp4', 5.5, 15.5, 'smart'],
    ['odd/vfr_odd_size_518x488.mp4', 1.2, 4.4, 'smart'],
    ['odd/mp3_audio_failing.mp4', 1.3, 8, 'smart'],
    ['odd/no_sync_sample_table.mp4', 0.1, 0.9, 'smart'],
    ['video/big_buck_bunny_720p_30s_vp8.webm', 5, 7, 'encode'],
    ['vertical/vertical_720x1280_4s_av1_hdr10.mp4', 1, 2, 'encode'],
    ['video/long_6min_180p_av1.mp4', 100.2, 105.2, 'encode'],
    ['odd/hevc_1080p_10s.mp4', 2.5, 3.5, 'encode'],
    ['odd/no_duration.webm', 1, 3, 'encode'],
    ['odd/vp9_in_mp4_no_audio.mp4', 1, 3, 'encode'],
    ['odd/transparent_vp9.webm', 1, 3, 'encode'],
    ['odd/cursed_vfr.mp4', 2, 4, 'smart'],
    ['odd/rotated_180_phone.mp4', 0.3, 1.9, 'encode'],
    ['odd/rotate_and_reflect.mp4', 0.1, 0.9, 'encode'],
    ['odd/non_square_pixels_sar_2x1.mp4', 1.1, 3.3, 'encode'],
    ['odd/-name-with-leading-dash-.mp4', 1, 4, 'encode'],
    ['odd/video_plus_cover_png.mp4', 0.3, 1.7, 'encode'],
    ['odd/with_srt_track.mkv', 0.1, 0.9, 'encode'],
    ['odd/invalid_nalu.mp4', 0.1, 0.9, 'encode'],
    ['odd/empty_second_video_track.mp4', 0.2, 0.9, 'encode'],
    ['odd/missing_stsd.mp4', 0.2, 0.9, 'encode'],
  ])('%s from %d to %d s', async (name, startSec, endSec, tier) => {
    const path = `${media}/${name}`
    const cut = await bench.cut(path, [startSec, endSec])
    expect(cut.tier).toBe(tier)
    await bench.expectSame(path, cut)
  })

  it.each([
    ['odd/zero_bytes.mp4', 'empty'],
    ['odd/html_error_page_named.mp4', 'no media file'],
    ['odd/bbb_truncated_at_2500000.mp4', 'cut off'],
    ['odd/malformed_free_box.mp4', 'no picture and no sound'],
    ['odd/smallest_valid_262_bytes.mp4', 'no picture and no sound'],
    ['odd/vvc_codec.mp4', 'codec'],
    ['odd/testvideo-43.avi', 'no media file'],
  ])('%s is refused in words', async (name, words) => {
    await expect(bench.cut(`${media}/${name}`, [0, 1])).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining(words),
    })
  })

  it('takes what is there of a file that was cut off, and says where the picture ends', async () => {
    const path = `${media}/odd/annex_b_truncated_100kB.mp4`
    const cut = await bench.cut(path, [0, 5])
    expect(cut.notes).toEqual([expect.stringContaining('breaks off')])
    await bench.expectSame(path, cut)
    await expect(bench.cut(path, [20, 25])).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('gives sound alone of a file without a picture', async () => {
    const cut = await bench.cut(`${media}/odd/audio_only_two_51_tracks.mp4`, [1, 3])
    expect(cut).toMatchObject({ tier: 'audio', container: 'm4a', frameCount: null })
  })
})
