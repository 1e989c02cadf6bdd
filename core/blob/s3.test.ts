import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeBlobStore } from './port-suite.ts'
import { openS3Bucket, type S3Bucket } from './s3.ts'

let folder: string
let service: S3rver
let bucket: S3Bucket

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-s3-'))
  service = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets: [{ name: 'clips' }],
  })
  const { port } = await service.run()
  bucket = openS3Bucket(`http://S3RVER:S3RVER@127.0.0.1:${port}/clips?region=eu-central-1`)
})
afterAll(async () => {
  bucket.close()
  await service.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  for (const key of await bucket.objects.list('', 100)) await bucket.objects.delete(key)
})

describe('a bucket', () => {
  describeBlobStore(() => bucket.blobs)

  it('gives objects of others whatever their keys are like', async () => {
    await bucket.objects.put('Talks 2026/über uns.mp4', Buffer.from('media'))
    expect(await bucket.objects.stat('Talks 2026/über uns.mp4')).toMatchObject({ bytes: 5 })
    await expect(bucket.blobs.stat('Talks 2026/über uns.mp4')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('says that its service does not answer, without the keys of its address', async () => {
    const gone = openS3Bucket('http://AKIAGONE:very-secret@127.0.0.1:1/clips')
    const failure = await gone.blobs.stat('a').catch(error => error)
    expect(failure).toMatchObject({ code: 'UNAVAILABLE' })
    expect(failure.message).not.toContain('very-secret')
    gone.close()
    expect(() => openS3Bucket('https://media.example.com/clips')).toThrow('S3_URL must be like')
  })
})
