import { openMediaEngine } from '../media/engine/open-engine.ts'
import type { MediaEngine } from '../media/engine/port.ts'

const missing = {
  ffmpeg: 'This needs ffmpeg: run test/services/install.mjs.',
  'node-av': 'The optional package node-av is not installed: run npm ci.',
} as const

/**
 * The engine of one kind, for tests and benches; whoever opens it closes it.
 * @throws Error where this machine has none of that kind
 */
export async function openTestEngine(kind: MediaEngine['kind']): Promise<MediaEngine> {
  const ffmpegPath = kind === 'ffmpeg' ? 'ffmpeg' : '/nowhere/ffmpeg'
  const engine = await openMediaEngine({ ffmpegPath, searchPath: process.env.PATH ?? '', log: null })
  if (engine?.kind === kind) return engine
  await engine?.close()
  throw new Error(missing[kind])
}
