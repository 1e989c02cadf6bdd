import { join } from 'node:path'
import { directoryBlobStore } from '../../core/blob/directory.ts'
import { systemClock } from '../../core/clock.ts'
import { freeDiskShare } from '../../core/free-disk.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import { probeSource } from '../../media/source/probe.ts'
import { createDownloadLinks } from '../../server/features/media-jobs/download-links.ts'
import type { MediaDesk } from '../../server/features/media-jobs/media-desk.ts'
import { packageRoot } from '../../sql/read.ts'
import type { OpenOptions, Stores } from './stores.ts'

/** The sample that comes with Cliptape may be registered by everybody who may register files. */
const sampleFolder = join(packageRoot, 'media', 'sample')

/** What media stands on, in every role. */
export function openMediaDesk(
  { config, paths }: Pick<OpenOptions, 'config' | 'paths'>,
  { secrets }: Pick<Stores, 'secrets'>,
  outbound: Outbound,
): MediaDesk {
  return {
    blobs: directoryBlobStore({ root: paths.blobs }),
    links: createDownloadLinks({ secret: secrets.jwt, clock: systemClock }),
    roots: [...config.media.roots, sampleFolder],
    bucket: null,
    freeDiskShare: () => freeDiskShare(paths.root),
    probe: (source, signal) => probeSource({ outbound }, source, { signal }),
  }
}
