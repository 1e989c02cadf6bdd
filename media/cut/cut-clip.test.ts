import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CutOptionsSchema } from '../../contracts/media.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { openTestEngine } from '../../test/media-engine.ts'
import type { MediaEngine } from '../engine/port.ts'
import { cutClip } from './cut-clip.ts'
import { cutSuite } from './cut-suite.ts'

let engine: MediaEngine
beforeAll(async () => {
  engine = await openTestEngine('node-av')
})
afterAll(() => engine.close())

describe("cutting with FFmpeg's libraries", () => cutSuite(() => engine))

it('says how to get a decoder when there is none', async () => {
  const outbound = openOutbound({ configuredOrigins: [] })
  const source = { kind: 'file', path: fileURLToPath(new URL('../sample/sample.mp4', import.meta.url)) } as const
  const cutting = cutClip(
    { engine: null, outbound },
    { source, startSec: 1, endSec: 2, options: CutOptionsSchema.parse({}) },
    { folder: '/nowhere' },
  )
  await expect(cutting).rejects.toMatchObject({
    code: 'NOT_CONFIGURED',
    details: { reason: 'MEDIA_DECODER_MISSING' },
    message: expect.stringContaining('install ffmpeg'),
  })
  await outbound.close()
})
