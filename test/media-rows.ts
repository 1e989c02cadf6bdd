import type { Vod } from '../contracts/vods.ts'

/** A minute of video of one's own, as `/api/vods` answers it; `number` is one digit. */
export function mediaRow(number: number, more: Partial<Vod> = {}): Vod {
  return {
    vodId: `own:3f0c6d1e-8f4e-4c9b-9a53-0d1f4b1c2a7${number}`,
    title: 'The sample',
    creatorId: null,
    source: 'attached',
    sourceKind: 'file',
    sourceLabel: 'sample.mp4',
    duration: 60,
    bytes: 1_400_000,
    media: {
      contentId: 'sha256:1',
      container: 'mp4',
      durationSec: 60,
      bytes: 1_400_000,
      video: {
        codec: 'avc',
        widthPx: 640,
        heightPx: 360,
        rotationDeg: 0,
        framesPerSec: 25,
        isRateConstant: true,
        isHdr: false,
      },
      audio: { codec: 'aac', rateHz: 48_000, channelCount: 2 },
      trackCount: 2,
      notes: [],
    },
    createdAt: `2026-03-01T11:5${number}:00.000Z`,
    expiresAt: null,
    ...more,
  }
}
