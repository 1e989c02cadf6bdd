import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mediaEngineSuite } from './engine-suite.ts'
import { openMediaEngine } from './open-engine.ts'
import type { MediaEngine } from './port.ts'

let engine: MediaEngine
beforeAll(async () => {
  const opened = await openMediaEngine({ ffmpegPath: 'ffmpeg', searchPath: process.env.PATH ?? '', log: null })
  if (!opened) throw new Error('This test needs ffmpeg: run test/services/install.mjs.')
  engine = opened
})
afterAll(() => engine.close())

it('is taken where it is installed', () => expect(engine.kind).toBe('ffmpeg'))

describe('the ffmpeg program', () => mediaEngineSuite(() => engine))
