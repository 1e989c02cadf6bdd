import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openS3Bucket, type S3Bucket } from '../../../core/blob/s3.ts'
import { type ClipRig, openClipRig } from '../../../test/clip-rig.ts'
import { sampleFile } from '../../../test/media-desk.ts'

let folder: string
let service: S3rver
let bucket: S3Bucket
let rig: ClipRig

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-bucket-'))
  const buckets = [{ name: 'clips' }]
  service = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory: folder, configureBuckets: buckets })
  const { port } = await service.run()
  bucket = openS3Bucket(`http://S3RVER:S3RVER@127.0.0.1:${port}/clips`)
  rig = await openClipRig({ bucket })
})
afterAll(async () => {
  await rig.close()
  bucket.close()
  await service.close()
  await rm(folder, { recursive: true, force: true })
})

it('cuts a clip out of an object of the bucket into the bucket, and serves ranges of it', async () => {
  await bucket.objects.put('talks/my sample.mp4', await readFile(sampleFile))
  for (const source of ['s3://clips/media/of-others', 's3://another/talks/my%20sample.mp4']) {
    expect((await rig.call('POST', '/api/vods', { source })).body.error.code).toBe('BAD_REQUEST')
  }
  const vod = await rig.call('POST', '/api/vods', { source: 's3://clips/talks/my%20sample.mp4' })
  expect(vod).toMatchObject({ status: 201, body: { sourceKind: 's3', sourceLabel: 'my sample.mp4', duration: 60 } })
  const { vodId } = vod.body
  const request = { vodId, startTime: 4, endTime: 8, mode: 'keyframe' }
  const { requestId } = (await rig.call('POST', '/api/clips/request', request)).body
  await rig.worker.drain()
  const { body: link } = await rig.call('GET', `/api/clips/download/${requestId}`)
  const whole = Buffer.from(await (await fetch(link.url)).arrayBuffer())
  expect(whole.length).toBe(link.bytes)
  const part = await fetch(link.url, { headers: { range: 'bytes=100-199' } })
  expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(100, 200))).toBe(true)
  expect(await bucket.blobs.list('media/', 10)).toHaveLength(1)
  expect((await rig.call('DELETE', `/api/clips/requests/${requestId}`)).status).toBe(204)
  expect((await rig.call('DELETE', `/api/vods/${vodId}`)).status).toBe(204)
  expect(await bucket.blobs.list('media/', 10)).toEqual([])
  expect(await bucket.objects.stat('talks/my sample.mp4')).not.toBeNull()
})
