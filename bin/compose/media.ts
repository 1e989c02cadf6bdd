import { join } from 'node:path'
import { directoryBlobStore } from '../../core/blob/directory.ts'
import { systemClock } from '../../core/clock.ts'
import { freeDiskShare } from '../../core/free-disk.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import { openMediaEngine } from '../../media/engine/open-engine.ts'
import type { MediaEngine } from '../../media/engine/port.ts'
import { createJobFolder, sweepJobFolders } from '../../media/job-folder.ts'
import { probeSource } from '../../media/source/probe.ts'
import { createDownloadLinks } from '../../server/features/media-jobs/download-links.ts'
import type { MediaDesk } from '../../server/features/media-jobs/media-desk.ts'
import { packageRoot } from '../../sql/read.ts'
import type { OpenOptions, Stores } from './stores.ts'

/** The sample that comes with Cliptape may be registered by everybody who may register files. */
const sampleFolder = join(packageRoot, 'media', 'sample')

/** What media stands on, in every role. */
export function openMediaDesk(
  { config, paths, scope, log }: OpenOptions,
  { secrets }: Pick<Stores, 'secrets'>,
  outbound: Outbound,
): MediaDesk {
  const { ffmpegPath, searchPath } = config.media
  const folders = join(paths.work, 'pictures')
  let engine: Promise<MediaEngine | null> | null = null
  const openEngine = async () => {
    await sweepJobFolders(folders, systemClock)
    return await openMediaEngine({ ffmpegPath, searchPath, log })
  }
  return {
    blobs: directoryBlobStore({ root: paths.blobs }),
    links: createDownloadLinks({ secret: secrets.jwt, clock: systemClock }),
    roots: [...config.media.roots, sampleFolder],
    bucket: null,
    freeDiskShare: () => freeDiskShare(paths.root),
    probe: (source, signal) => probeSource({ outbound }, source, { signal }),
    engine() {
      engine ??= scope.start('media engine', openEngine, opened => opened?.close())
      return engine
    },
    openFolder: () => createJobFolder(folders),
  }
}
