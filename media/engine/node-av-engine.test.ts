import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestEngine } from '../../test/media-engine.ts'
import { mediaEngineSuite } from './engine-suite.ts'
import type { MediaEngine } from './port.ts'

let engine: MediaEngine
beforeAll(async () => {
  engine = await openTestEngine('node-av')
})
afterAll(() => engine.close())

it('is taken where there is no ffmpeg program', () => expect(engine.kind).toBe('node-av'))

describe("FFmpeg's libraries", () => mediaEngineSuite(() => engine))
