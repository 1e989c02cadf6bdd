import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestEngine } from '../../test/media-engine.ts'
import { mediaEngineSuite } from './engine-suite.ts'
import type { MediaEngine } from './port.ts'

let engine: MediaEngine
beforeAll(async () => {
  engine = await openTestEngine('ffmpeg')
})
afterAll(() => engine.close())

it('is taken where it is installed', () => expect(engine.kind).toBe('ffmpeg'))

describe('the ffmpeg program', () => mediaEngineSuite(() => engine))
