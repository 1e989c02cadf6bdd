import { join } from 'node:path'
import { directoryBlobStore } from '../core/blob/directory.ts'
import type { Clock } from '../core/clock.ts'
import type { Outbound } from '../core/outbound/port.ts'
import { probeSource } from '../media/source/probe.ts'
import { createDownloadLinks } from '../server/features/media-jobs/download-links.ts'
import type { MediaDesk } from '../server/features/media-jobs/media-desk.ts'

/**
 * What routes about media stand on, in a folder of the test: files below `media` may be registered, and the disk is never
 * full.
 */
export function testMediaDesk(o: { folder: string; clock: Clock; outbound: Outbound }): MediaDesk {
  return {
    blobs: directoryBlobStore({ root: join(o.folder, 'blobs') }),
    links: createDownloadLinks({ secret: 'secret of the test', clock: o.clock }),
    roots: [join(o.folder, 'media')],
    bucket: null,
    freeDiskShare: async () => 1,
    probe: (source, signal) => probeSource({ outbound: o.outbound }, source, { signal }),
  }
}
