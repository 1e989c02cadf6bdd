import { realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import type { Caller } from '../../http/caller.ts'
import { isLoopbackHost } from '../../http/hosts.ts'

/** Where media lies, in the form in which the vault keeps it. */
export const SourcePlaceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: z.string() }),
  z.object({ kind: z.literal('url'), url: z.string() }),
  z.object({ kind: z.literal('s3'), key: z.string() }),
  z.object({ kind: z.literal('upload'), uploadId: z.uuid() }),
  z.object({ kind: z.literal('instagram'), accountId: z.uuid(), postId: z.string() }),
])
export type SourcePlace = z.infer<typeof SourcePlaceSchema>

/**
 * What a text that somebody typed names; `sample` is what comes with Cliptape.
 * @throws AppError BAD_REQUEST when it names nothing that media is read from
 */
export function parseSource(
  text: string,
  { samplePath, bucketName }: { readonly samplePath: string; readonly bucketName: string | null },
): SourcePlace {
  if (text === 'sample') return { kind: 'file', path: samplePath }
  const uploadId = /^upload:(.+)$/.exec(text)?.[1]
  if (uploadId !== undefined) {
    const id = z.uuid().safeParse(uploadId)
    if (id.success) return { kind: 'upload', uploadId: id.data }
    throw wrongSource('An upload is named upload:<its id>.')
  }
  if (isAbsolute(text)) return { kind: 'file', path: text }
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return { kind: 'url', url: url.href }
  if (url?.protocol === 's3:') return objectOf(url, bucketName)
  if (url?.protocol === 'file:' && url.host === '') return { kind: 'file', path: pathOf(url) }
  throw wrongSource(
    'Name an address (https://…), the absolute path of a file, upload:<id>, an object (s3://bucket/key), or sample for what comes with Cliptape.',
  )
}

/** What may be shown of a source: a file's name, or an address's host. */
export function labelOf(place: SourcePlace, uploadName: string | null): string {
  switch (place.kind) {
    case 'file':
      return basename(place.path)
    case 'url':
      return new URL(place.url).host
    case 's3':
      return basename(place.key)
    case 'upload':
      return uploadName ?? 'upload'
    case 'instagram':
      return 'Instagram'
  }
}

/**
 * The real path of a file that the owner of this machine may have read: nothing leads out of the declared folders.
 * @throws AppError FORBIDDEN for anybody else, and for a path outside; NOT_FOUND when no file is there
 */
export async function allowedPath(
  path: string,
  o: { readonly caller: Caller; readonly isLocalOwner: boolean; readonly roots: readonly string[] },
): Promise<string> {
  if (!o.isLocalOwner || o.caller.address === null || !isLoopback(o.caller.address)) {
    throw new AppError(
      'FORBIDDEN',
      'Files of this machine are for its owner, at this machine: upload the file instead (POST /api/uploads).',
    )
  }
  return await pathUnderRoots(path, o.roots)
}

/** @throws AppError FORBIDDEN outside of the declared folders; NOT_FOUND; BAD_REQUEST when it is no file */
export async function pathUnderRoots(path: string, roots: readonly string[]): Promise<string> {
  const real = await realpath(path).catch(() => null)
  const realRoots = await Promise.all(roots.map(root => realpath(root).catch(() => null)))
  const isInside = realRoots.some(
    root => root !== null && real !== null && (real === root || real.startsWith(root + sep)),
  )
  // The same answer for a path outside whether anything is there or not.
  const mayBeThere = real !== null || roots.some(root => path.startsWith(root + sep))
  if (!isInside && !(real === null && mayBeThere)) {
    throw new AppError(
      'FORBIDDEN',
      'This path is not under a folder that media may be read from: name its folder in CLIPTAPE_MEDIA_ROOTS and start again.',
    )
  }
  if (real === null) throw new AppError('NOT_FOUND', 'There is no file at this path.')
  if (!(await stat(real)).isFile()) throw wrongSource('This path is not a file.')
  return real
}

function objectOf(url: URL, bucketName: string | null): SourcePlace {
  if (bucketName === null)
    throw new AppError(
      'NOT_CONFIGURED',
      'No bucket is configured: set S3_URL, or name the object by a signed https address.',
    )
  if (url.host !== bucketName) throw wrongSource(`Objects are read from the bucket ${bucketName} alone.`)
  const key = decoded(url.pathname.slice(1))
  // What Cliptape keeps there itself belongs to its users.
  if (key === '' || key.startsWith('media/')) throw wrongSource('This names no object that media is read from.')
  return { kind: 's3', key }
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url)
  } catch {
    throw wrongSource('This is not the address of a file.')
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrongSource('The key of the object is not well formed.')
  }
}

function isLoopback(address: string): boolean {
  return isLoopbackHost(address.replace(/^::ffff:/, ''))
}

function wrongSource(message: string): AppError {
  return new AppError('BAD_REQUEST', message, { details: { field: 'source' } })
}
