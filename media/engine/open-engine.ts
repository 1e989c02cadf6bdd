import type { Log } from '../../core/log.ts'
import { workingWrappers } from './engine-process.ts'
import { openFfmpegEngine } from './ffmpeg-engine.ts'
import { ffmpegMapsRange, ffmpegVersion } from './ffmpeg-runner.ts'
import { nodeAvVersion, openNodeAvEngine } from './node-av-engine.ts'
import type { MediaEngine } from './port.ts'
import { ProcessStarter } from './process-starter.ts'

const oldestVersion = { major: 5, minor: 1 }

/**
 * The engine of this machine: the ffmpeg program where it is new enough, else FFmpeg's libraries from the optional
 * package `node-av`, else null: then clips can be copied at keyframes and nothing decoded.
 * @param options `ffmpegPath` as set, or `ffmpeg` to look for it on `searchPath`
 */
export async function openMediaEngine(options: {
  readonly ffmpegPath: string
  readonly searchPath: string
  readonly log: Log | null
}): Promise<MediaEngine | null> {
  const { ffmpegPath, searchPath, log } = options
  const wrappers = await workingWrappers({ PATH: searchPath })
  const version = await ffmpegVersion(ffmpegPath, searchPath)
  if (version !== null && isNewEnough(version)) {
    const mapsRange = await ffmpegMapsRange(ffmpegPath, searchPath)
    log?.info({ engine: 'ffmpeg', version, mapsRange, ...wrappers }, 'Clips are cut by ffmpeg.')
    return openFfmpegEngine({
      path: ffmpegPath,
      searchPath,
      wrappers,
      version,
      mapsRange,
      starter: await openStarter(),
    })
  }
  if (version !== null) log?.warn({ version }, 'This ffmpeg is older than 5.1 and is not used.')
  const library = await nodeAvVersion(searchPath)
  if (library === null) {
    log?.warn('There is no decoder: only cuts at keyframes work. Install ffmpeg 5.1 or newer, or set FFMPEG_PATH.')
    return null
  }
  log?.info({ engine: 'node-av', version: library, ...wrappers }, "Clips are cut by FFmpeg's libraries of node-av.")
  return openNodeAvEngine({ version: library, searchPath, wrappers, starter: await openStarter() })
}

/** Forked now, while this process is small. */
async function openStarter(): Promise<ProcessStarter> {
  const starter = new ProcessStarter()
  await starter.open()
  return starter
}

/** A version without numbers is a build of the newest sources. */
function isNewEnough(version: string): boolean {
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(version) ?? []
  if (major === undefined || minor === undefined) return true
  const [have, want] = [Number(major), oldestVersion.major]
  return have > want || (have === want && Number(minor) >= oldestVersion.minor)
}
