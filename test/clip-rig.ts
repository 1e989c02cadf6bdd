import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { S3Bucket } from '../core/blob/s3.ts'
import type { MediaEngine } from '../media/engine/port.ts'
import { createJobFolder } from '../media/job-folder.ts'
import type { ServerDeps } from '../server/deps.ts'
import { discardFiles, runJob } from '../server/features/media-jobs/run-job.ts'
import { MediaWorker } from '../server/features/media-jobs/worker.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { openServerRig, rigToken, type ServerRig } from './server-rig.ts'

/** A server with the worker that cuts its clips, in one process: `worker.drain()` does what waits. */
export interface ClipRig {
  readonly rig: ServerRig
  readonly deps: ServerDeps
  readonly server: RunningServer
  readonly worker: MediaWorker
  /** Files in it may be registered. */
  readonly mediaFolder: string
  /** Empty while no job is under way. */
  readonly workFolder: string
  /** A worker besides, on other dependencies. */
  openWorker(deps: ServerDeps): MediaWorker
  /** One request as the local owner, or with another token; `body` of the answer is null where there is none. */
  call(
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ): Promise<{ status: number; body: ReturnType<typeof JSON.parse> }>
  close(): Promise<void>
}

/**
 * @param o.engine without one nothing is decoded: clips are copied at keyframes
 * @param o.over what the rest stands on instead of the rig's own
 * @param o.bucket where files are kept, and objects registered from; a folder without one
 */
export async function openClipRig(
  o: { readonly engine?: MediaEngine; readonly bucket?: S3Bucket; readonly over?: Partial<ServerDeps> } = {},
): Promise<ClipRig> {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-clips-'))
  const mediaFolder = join(folder, 'media')
  const workFolder = join(folder, 'work')
  await mkdir(mediaFolder)
  const rig = await openServerRig()
  const plain = { ...(await rig.deps()), ...o.over }
  const media = { ...plain.media, roots: [...plain.media.roots, mediaFolder] }
  const deps = { ...plain, media: o.bucket ? { ...media, blobs: o.bucket.blobs, bucket: o.bucket } : media }
  const server: RunningServer = await startServer(
    { ...deps, accounts: { ...deps.accounts, linkBase: () => server.url } },
    { host: '127.0.0.1', port: 0 },
  )
  const openWorker = (of: ServerDeps) => {
    const run = { ...of, engine: o.engine ?? null, openFolder: () => createJobFolder(workFolder, of.media.room) }
    return new MediaWorker(
      { ...of, work: (job, task) => runJob(run, job, task), discard: (job, files) => discardFiles(run, job, files) },
      { concurrentMax: 1 },
    )
  }
  const worker = openWorker(deps)
  return {
    rig,
    deps,
    server,
    worker,
    mediaFolder,
    workFolder,
    openWorker,
    async call(method, path, body, token = rigToken) {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? null : JSON.parse(text) }
    },
    async close() {
      await worker.close()
      await server.close(1000)
      await rig.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
