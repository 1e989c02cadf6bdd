import { z } from 'zod'
import { ClipStatusSchema, StorageSchema } from '../../contracts/clips.ts'
import { MediaJobSchema, MediaOutputsSchema } from '../../contracts/media-jobs.ts'
import { TimelineSchema } from '../../contracts/timeline.ts'
import { type Vod, VodSchema } from '../../contracts/vods.ts'
import type { PictureQuery } from '../net/picture-client.ts'
import type { ResourceQuery } from '../net/resource-client.ts'
import { type Pages, pageQuery } from '../state/pages.ts'

// What MEDIA, CUT and CLIPS ask the server for. Rows get the `key` that tables go by once, when they come in.

const KeyedVod = VodSchema.transform(row => ({ ...row, key: row.vodId }))
export type MediaRow = z.output<typeof KeyedVod>
const VodsPage = z.object({ data: z.array(KeyedVod), nextCursor: z.string().optional() })

/** A page of one's own media, newest first. */
export function mediaListResource(pages: Pages): ResourceQuery<z.output<typeof VodsPage>> {
  return { path: '/api/vods', query: { limit: '50', ...pageQuery(pages) }, schema: VodsPage, everyMs: 15_000 }
}

/** One video with media. */
export function mediaResource(vodId: string): ResourceQuery<Vod> {
  return { path: mediaPath(vodId), query: {}, schema: VodSchema, everyMs: null }
}

/** An id may hold anything that a platform allows. */
export function mediaPath(vodId: string): string {
  return `/api/vods/${encodeURIComponent(vodId)}`
}

/** Work on media while it goes on. */
export function mediaJobResource(jobId: string): ResourceQuery<z.output<typeof MediaJobSchema>> {
  const isOpen = (status: string | undefined) => status === undefined || status === 'queued' || status === 'running'
  return {
    path: `/api/media/jobs/${jobId}`,
    query: {},
    schema: MediaJobSchema,
    everyMs: 500,
    nextMs: body => (isOpen(body?.status) ? 500 : null),
  }
}

const TimelineOutputs = MediaOutputsSchema.extend({ result: TimelineSchema })

/** The timeline that came of a job. */
export function timelineResource(jobId: string): ResourceQuery<z.output<typeof TimelineOutputs>> {
  return { path: `/api/media/jobs/${jobId}/outputs`, query: {}, schema: TimelineOutputs, everyMs: null }
}

const KeyedClip = ClipStatusSchema.transform(row => ({ ...row, key: row.requestId }))
export type ClipRow = z.output<typeof KeyedClip>
const ClipsPage = z.object({ data: z.array(KeyedClip), storage: StorageSchema, nextCursor: z.string().optional() })

/** A page of one's own clip requests, newest first. */
export function clipsResource(pages: Pages): ResourceQuery<z.output<typeof ClipsPage>> {
  return {
    path: '/api/clips/requests',
    query: { limit: '50', ...pageQuery(pages) },
    schema: ClipsPage,
    everyMs: 5_000,
    nextMs: body => (body?.data.some(clip => isUnderWay(clip.status)) === true ? 500 : 5_000),
  }
}

/** Whether a clip is still being made. */
export function isUnderWay(status: ClipRow['status']): boolean {
  return status === 'pending' || status === 'processing'
}

/** Cells at even distances between two instants. */
export function filmstripQuery(
  vodId: string,
  o: { fromSec: number; toSec: number; cells: number; widthPx: number; heightPx: number },
): PictureQuery {
  return {
    path: `${mediaPath(vodId)}/filmstrip`,
    query: { startSec: seconds(o.fromSec), endSec: seconds(o.toSec), cells: String(o.cells) },
    widthPx: o.widthPx,
    heightPx: o.heightPx,
  }
}

/** The frame that is shown at an instant, as number 0. */
export function frameQuery(
  vodId: string,
  { atSec, widthPx, heightPx }: { atSec: number; widthPx: number; heightPx: number },
): PictureQuery {
  return { path: `${mediaPath(vodId)}/pictures`, query: { at: seconds(atSec) }, widthPx, heightPx }
}

/** Exact to the microsecond, never in exponents. */
function seconds(sec: number): string {
  return sec.toFixed(6).replace(/\.?0+$/, '')
}
