import type { UserId } from '../../../contracts/ids.ts'
import type { MediaInfo } from '../../../contracts/media.ts'
import type { BlobStore } from '../../../core/blob/port.ts'
import type { Outbound } from '../../../core/outbound/port.ts'
import type { MediaEngine } from '../../../media/engine/port.ts'
import type { JobFolder } from '../../../media/job-folder.ts'
import type { MediaSource, SourceDeps } from '../../../media/source/open-source.ts'
import type { SourceIndexes } from '../../../media/source/source-indexes.ts'
import type { WorkRoom } from '../../../media/work-room.ts'
import type { Spend } from '../links/spend.ts'
import type { OpenShelf } from '../pictures/open-shelf.ts'
import type { DownloadLinks } from './download-links.ts'

/** What routes about media stand on, besides the stores. */
export interface MediaDesk {
  /** Clips, uploads and everything that is made of media. */
  readonly blobs: BlobStore
  readonly links: DownloadLinks
  /** Folders of this machine, absolute, from which its owner may register files. */
  readonly roots: readonly string[]
  /** The file that comes with Cliptape, below one of them. */
  readonly samplePath: string
  /** The operator's bucket, of which those who run the server may register objects; null without one. */
  readonly bucket: { readonly name: string; readonly objects: BlobStore } | null
  /** Questions to a platform about own posts are counted. */
  readonly spend: Spend
  /** Of files far away, as this process has read them. */
  readonly indexes: SourceIndexes
  /** How much of the disk that work needs is free, from 0 to 1. */
  freeDiskShare(): Promise<number>
  /**
   * What a source is, without decoding it.
   * @throws AppError BAD_REQUEST with what is wrong with the file; FORBIDDEN for an address inside; UNAVAILABLE
   */
  probe(source: MediaSource, signal: AbortSignal): Promise<MediaInfo>
  /** What decodes, opened when it is first needed; null when nothing on this machine does. */
  engine(): Promise<MediaEngine | null>
  /** Media that somebody looks at. */
  readonly shelf: OpenShelf
  /** What copies of media in the folders of work may take of the disk. */
  readonly room: WorkRoom
  /** A folder for one piece of work, outside of those of jobs. */
  openFolder(): Promise<JobFolder>
}

/** What sources of a user are read with. */
export function readingFor(
  { outbound, media }: { readonly outbound: Outbound; readonly media: Pick<MediaDesk, 'indexes'> },
  ownerId: UserId,
): SourceDeps {
  return { outbound, indexes: media.indexes.of(ownerId) }
}
