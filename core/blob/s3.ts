import { Readable, Transform } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { AppError } from '../../contracts/errors.ts'
import { checkedKey } from './key.ts'
import type { BlobStore } from './port.ts'

/** A bucket of an S3-compatible service. */
export interface S3Bucket {
  readonly name: string
  /** Files of ours. */
  readonly blobs: BlobStore
  /** The same bucket with whatever keys others have given their objects. */
  readonly objects: BlobStore
  close(): void
}

/** Of a body whose length is not known ahead: at most 10,000 of them make an object. */
const partBytes = 16 * 1024 * 1024
const partsAtOnce = 2

/**
 * Opens a bucket. It is asked for nothing before the first file is.
 * @param url `https://<access key>:<secret key>@<host>/<bucket>?region=<region>`; the region is us-east-1 unless told
 * @throws AppError BAD_REQUEST when the address names no bucket or has no keys in it
 */
export function openS3Bucket(url: string): S3Bucket {
  const { origin, protocol, host, username, password, pathname, searchParams } = new URL(url)
  const name = decodeURIComponent(pathname.replace(/^\/+|\/+$/g, ''))
  if (name === '' || name.includes('/') || username === '' || password === '' || !/^https?:$/.test(protocol)) {
    throw new AppError(
      'BAD_REQUEST',
      'S3_URL must be like https://<access key>:<secret key>@<host>/<bucket>?region=<region>.',
    )
  }
  const client = new S3Client({
    endpoint: origin === 'null' ? `${protocol}//${host}` : origin,
    region: searchParams.get('region') ?? 'us-east-1',
    credentials: { accessKeyId: decodeURIComponent(username), secretAccessKey: decodeURIComponent(password) },
    forcePathStyle: true,
    // Services that are compatible with S3 do not all know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  return {
    name,
    blobs: bucketStore(client, name, checkedKey),
    objects: bucketStore(client, name, key => key),
    close: () => client.destroy(),
  }
}

/** Objects of a bucket; an object is visible when its last part has arrived. */
function bucketStore(client: S3Client, bucket: string, check: (key: string) => string): BlobStore {
  return {
    async put(key, body) {
      const counted = counting()
      const source = Buffer.isBuffer(body) ? Readable.from([body]) : body
      source.once('error', error => counted.stream.destroy(error))
      const upload = new Upload({
        client,
        params: { Bucket: bucket, Key: check(key), Body: source.pipe(counted.stream) },
        partSize: partBytes,
        queueSize: partsAtOnce,
      })
      try {
        await upload.done()
        return { bytes: counted.bytes() }
      } catch (error) {
        await upload.abort().catch(() => undefined)
        throw translated(error, key)
      }
    },
    async get(key, range) {
      if (range && (range.start < 0 || range.end < range.start)) throw outside(key, range)
      const Range = range && `bytes=${range.start}-${range.end}`
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: check(key), Range }))
        if (Body instanceof Readable) return Body
      } catch (error) {
        if (range && isNamed(error, 'InvalidRange')) throw outside(key, range)
        throw translated(error, key)
      }
      throw new Error('The bucket gave an object without a body.')
    },
    async stat(key) {
      try {
        const found = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: check(key) }))
        return { bytes: found.ContentLength ?? 0, modifiedAt: found.LastModified ?? new Date(0) }
      } catch (error) {
        if (isMissing(error)) return null
        throw translated(error, key)
      }
    },
    async delete(key) {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: check(key) }))
      } catch (error) {
        if (!isMissing(error)) throw translated(error, key)
      }
    },
    async list(prefix, limit) {
      const keys: string[] = []
      let token: string | undefined
      try {
        do {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
          )
          keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []))
          token = page.NextContinuationToken
        } while (token !== undefined && keys.length < limit)
      } catch (error) {
        throw translated(error, prefix)
      }
      return keys.slice(0, limit)
    },
  }
}

function counting(): { stream: Transform; bytes(): number } {
  let bytes = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      done(null, chunk)
    },
  })
  return { stream, bytes: () => bytes }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof S3ServiceException && error.name === name
}

function isMissing(error: unknown): boolean {
  return isNamed(error, 'NoSuchKey') || isNamed(error, 'NotFound')
}

function outside(key: string, { start, end }: { start: number; end: number }): AppError {
  return new AppError('BAD_REQUEST', `The range ${start}-${end} is outside of ${key}.`)
}

/** What the service says itself is about its own state; an error that is ours, of the body for example, stays. */
function translated(error: unknown, key: string): unknown {
  if (error instanceof AppError) return error
  if (isMissing(error)) return new AppError('NOT_FOUND', `There is no file ${key}.`, { cause: error })
  if (error instanceof S3ServiceException || (error instanceof Error && 'code' in error)) {
    return new AppError(
      'UNAVAILABLE',
      'The bucket for files does not answer as it should: look at S3_URL and its rights.',
      {
        cause: error,
      },
    )
  }
  return error
}
