import { dirname, join } from 'node:path'
import { directoryBlobStore } from '../../core/blob/directory.ts'
import type { S3Bucket } from '../../core/blob/s3.ts'
import { systemClock } from '../../core/clock.ts'
import { freeDiskShare } from '../../core/free-disk.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import { openMediaEngine } from '../../media/engine/open-engine.ts'
import type { MediaEngine } from '../../media/engine/port.ts'
import { createJobFolder, sweepJobFolders } from '../../media/job-folder.ts'
import { probeSource } from '../../media/source/probe.ts'
import { SourceIndexes } from '../../media/source/source-indexes.ts'
import { WorkRoom } from '../../media/work-room.ts'
import { createDownloadLinks } from '../../server/features/media-jobs/download-links.ts'
import type { MediaDesk } from '../../server/features/media-jobs/media-desk.ts'
import { OpenShelf } from '../../server/features/pictures/open-shelf.ts'
import { packageRoot } from '../../sql/read.ts'
import { spendingOf } from './spend.ts'
import type { OpenOptions, Stores } from './stores.ts'

/** The sample that comes with Cliptape may be registered by everybody who may register files. */
const samplePath = join(packageRoot, 'media', 'sample', 'sample.mp4')

/** What media stands on, in every role. */
export async function openMediaDesk(
  { config, paths, scope, log }: OpenOptions,
  { secrets, db }: Pick<Stores, 'secrets' | 'db'>,
  outbound: Outbound,
): Promise<MediaDesk> {
  const { ffmpegPath, searchPath } = config.media
  const folders = join(paths.work, 'pictures')
  let engine: Promise<MediaEngine | null> | null = null
  const openEngine = async () => {
    await sweepJobFolders(folders, systemClock)
    return await openMediaEngine({ ffmpegPath, searchPath, log })
  }
  const room = new WorkRoom({
    bytesMax: config.media.workGib * 1024 ** 3,
    freeDiskShare: () => freeDiskShare(paths.root),
  })
  const bucket = await openBucket({ config, scope })
  return {
    blobs: bucket?.blobs ?? directoryBlobStore({ root: paths.blobs }),
    links: createDownloadLinks({ secret: secrets.jwt, clock: systemClock }),
    roots: [...config.media.roots, dirname(samplePath)],
    samplePath,
    bucket,
    indexes: new SourceIndexes(),
    spend: spendingOf({ db, clock: systemClock }),
    freeDiskShare: () => freeDiskShare(paths.root),
    probe: (source, signal) => probeSource({ outbound }, source, { signal }),
    engine() {
      engine ??= scope.start('media engine', openEngine, opened => opened?.close())
      return engine
    },
    shelf: await scope.start(
      'opened media',
      () => new OpenShelf(systemClock),
      shelf => shelf.close(),
    ),
    room,
    openFolder: () => createJobFolder(folders, room),
  }
}

/** Its library is large: it is loaded where there is a bucket. */
async function openBucket({ config, scope }: Pick<OpenOptions, 'config' | 'scope'>): Promise<S3Bucket | null> {
  const { blobs } = config
  if (blobs.kind === 'directory') return null
  const { openS3Bucket } = await import('../../core/blob/s3.ts')
  return await scope.start(
    'bucket',
    () => openS3Bucket(blobs.url),
    bucket => bucket.close(),
  )
}
