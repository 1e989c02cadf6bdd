import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mediaEngineSuite } from './engine-suite.ts'
import { openMediaEngine } from './open-engine.ts'
import type { MediaEngine } from './port.ts'

let engine: MediaEngine
beforeAll(async () => {
  const opened = await openMediaEngine({ ffmpegPath: '/nowhere/ffmpeg', searchPath: process.env.PATH ?? '', log: null })
  if (!opened) throw new Error('The optional package node-av is not installed: run npm ci.')
  engine = opened
})
afterAll(() => engine.close())

it('is taken where there is no ffmpeg program', () => expect(engine.kind).toBe('node-av'))

describe("FFmpeg's libraries", () => mediaEngineSuite(() => engine))
