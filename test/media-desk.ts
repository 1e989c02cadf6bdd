import { dirname, join } from 'node:path'
import { directoryBlobStore } from '../core/blob/directory.ts'
import type { Clock } from '../core/clock.ts'
import type { Outbound } from '../core/outbound/port.ts'
import { createJobFolder } from '../media/job-folder.ts'
import { probeSource } from '../media/source/probe.ts'
import { SourceIndexes } from '../media/source/source-indexes.ts'
import { WorkRoom } from '../media/work-room.ts'
import { createDownloadLinks } from '../server/features/media-jobs/download-links.ts'
import type { MediaDesk } from '../server/features/media-jobs/media-desk.ts'
import { OpenShelf } from '../server/features/pictures/open-shelf.ts'
import { packageRoot } from '../sql/read.ts'

/** A minute of test pictures, with sound. */
export const sampleFile = join(packageRoot, 'media', 'sample', 'sample.mp4')

/**
 * What routes about media stand on, in a folder of the test: files below `media` may be registered, the disk is never full, and
 * nothing is decoded: who needs an engine opens one.
 */
export function testMediaDesk(o: { folder: string; clock: Clock; outbound: Outbound }): MediaDesk {
  const room = new WorkRoom({ bytesMax: 1024 ** 3, freeDiskShare: async () => 1 })
  return {
    blobs: directoryBlobStore({ root: join(o.folder, 'blobs') }),
    links: createDownloadLinks({ secret: 'secret of the test', clock: o.clock }),
    roots: [join(o.folder, 'media'), dirname(sampleFile)],
    samplePath: sampleFile,
    bucket: null,
    indexes: new SourceIndexes(),
    spend: async () => true,
    freeDiskShare: async () => 1,
    probe: (source, signal) => probeSource({ outbound: o.outbound }, source, { signal }),
    engine: async () => null,
    shelf: new OpenShelf(o.clock),
    room,
    openFolder: () => createJobFolder(join(o.folder, 'work'), room),
  }
}
