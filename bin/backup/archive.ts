/**
 * One file that holds a backup: a tar archive (POSIX ustar), so that any `tar` can look into it. Its first entry is
 * `manifest.json`, which names every other entry with its size and SHA-256. Written and read as a stream: a backup may be
 * larger than memory.
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'

const blockBytes = 512
const manifestName = 'manifest.json'
const manifestBytesMax = 64 * 1024 * 1024

export const ManifestSchema = z.object({
  format: z.literal('cliptape-backup'),
  formatVersion: z.literal(1),
  cliptapeVersion: z.string(),
  madeAt: z.string(),
  files: z.array(
    z.object({
      path: z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[\w@%+=:,./ -]+$/),
      bytes: z.number().int().min(0),
      sha256: z.string(),
    }),
  ),
})
export type Manifest = z.infer<typeof ManifestSchema>

/** Lists every file under `folder` with its checksum, in a stable order. */
export async function describeFiles(folder: string): Promise<Manifest['files']> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const files: Manifest['files'] = []
  for (const path of paths.sort()) {
    const { size } = await stat(path)
    files.push({ path: relative(folder, path).split(sep).join('/'), bytes: size, sha256: await sha256Of(path) })
  }
  return files
}

/**
 * Packs the files of a manifest into a new archive, durable when it resolves. The file appears whole or not at all.
 * @throws AppError CONFLICT when `path` exists
 */
export async function writeArchive(options: {
  path: string
  folder: string
  manifest: Manifest
}): Promise<{ bytes: number }> {
  const { path, folder, manifest } = options
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  if (exists) throw new AppError('CONFLICT', `The file ${path} exists already: choose another name.`)
  const temporary = `${path}.part`
  await rm(temporary, { force: true })
  await pipeline(
    Readable.from(archiveBytes(folder, manifest)),
    createWriteStream(temporary, { mode: 0o600, flush: true }),
  )
  await rename(temporary, path)
  await syncFolder(dirname(path))
  return { bytes: (await stat(path)).size }
}

async function* archiveBytes(folder: string, manifest: Manifest): AsyncGenerator<Buffer> {
  const text = Buffer.from(JSON.stringify(manifest, null, 1))
  yield* entryBytes(manifestName, text.length, [text])
  for (const file of manifest.files) yield* entryBytes(file.path, file.bytes, createReadStream(join(folder, file.path)))
  yield Buffer.alloc(2 * blockBytes)
}

async function* entryBytes(
  name: string,
  size: number,
  content: Iterable<Buffer> | AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  yield header(name, size)
  let written = 0
  for await (const chunk of content) {
    written += chunk.length
    yield chunk
  }
  if (written !== size) throw new AppError('INTERNAL', `The file ${name} changed while it was packed: try again.`)
  yield Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes)
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(blockBytes)
  const [prefix, base] = splitName(name)
  block.write(base, 0, 100)
  block.write('0000600\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  writeSize(block, size)
  block.write('00000000000\0', 136)
  block.fill(' ', 148, 156)
  block.write('0', 156)
  block.write('ustar\0', 257)
  block.write('00', 263)
  block.write(prefix, 345, 155)
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** Eleven octal digits hold 8 GiB; larger sizes are written in base 256, which every common tar reads. */
function writeSize(block: Buffer, size: number): void {
  if (size < 0o77777777777) block.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  else {
    block[124] = 0x80
    block.writeBigUInt64BE(BigInt(size), 128)
  }
}

function readSize(block: Buffer): number {
  if (block[124] === 0x80) return Number(block.readBigUInt64BE(128))
  return Number.parseInt(block.toString('latin1', 124, 135), 8)
}

function splitName(name: string): [prefix: string, base: string] {
  if (name.length <= 100) return ['', name]
  const cut = name.indexOf('/', name.length - 101)
  if (cut === -1 || cut > 155) throw new AppError('INTERNAL', `The name ${name} is too long for an archive.`)
  return [name.slice(0, cut), name.slice(cut + 1)]
}

function checksumOf(block: Buffer): number {
  let sum = 0
  for (let index = 0; index < blockBytes; index += 1) {
    sum += index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0)
  }
  return sum
}

/**
 * Unpacks an archive into a new folder and checks every file against the manifest.
 * @throws AppError BAD_REQUEST when it is no backup, is cut off, or a checksum differs; then nothing of it may be used
 */
export async function readArchive(options: { path: string; folder: string }): Promise<Manifest> {
  const input = await open(options.path).catch(cause => {
    throw new AppError('NOT_FOUND', `The file ${options.path} cannot be read.`, { cause })
  })
  try {
    const reader = new BlockReader(input.createReadStream({ autoClose: false }), options.path)
    const first = await reader.header()
    if (first?.name !== manifestName || first.size > manifestBytesMax) throw notABackup(options.path)
    const manifest = parseManifest(await reader.bytes(first.size), options.path)
    for (const file of manifest.files) {
      const entry = await reader.header()
      if (entry?.name !== file.path || entry.size !== file.bytes) throw damaged(options.path, file.path)
      const target = join(options.folder, file.path)
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      const hash = createHash('sha256')
      await pipeline(
        Readable.from(hashed(reader.content(entry.size), hash)),
        createWriteStream(target, { mode: 0o600, flags: 'wx' }),
      )
      if (hash.digest('hex') !== file.sha256) throw damaged(options.path, file.path)
    }
    return manifest
  } finally {
    await input.close()
  }
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

function parseManifest(bytes: Buffer, path: string): Manifest {
  try {
    return ManifestSchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    throw new AppError('BAD_REQUEST', `The file ${path} holds a backup of a kind that this version does not know.`, {
      cause,
    })
  }
}

/** Hands out an archive's blocks in order. */
class BlockReader {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #path: string
  #left: Buffer = Buffer.alloc(0)

  constructor(stream: AsyncIterable<Buffer>, path: string) {
    this.#chunks = stream[Symbol.asyncIterator]()
    this.#path = path
  }

  async header(): Promise<{ name: string; size: number } | null> {
    const block = await this.#take(blockBytes)
    if (block.every(byte => byte === 0)) return null
    const told = Number.parseInt(block.toString('latin1', 148, 154), 8)
    if (block.toString('latin1', 257, 262) !== 'ustar' || told !== checksumOf(block)) throw notABackup(this.#path)
    const text = (from: number, to: number) => block.toString('utf8', from, to).replace(/\0.*$/s, '')
    const prefix = text(345, 500)
    return { name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`, size: readSize(block) }
  }

  async bytes(size: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const chunk of this.content(size)) parts.push(chunk)
    return Buffer.concat(parts)
  }

  async *content(size: number): AsyncGenerator<Buffer> {
    for (let missing = size; missing > 0; ) {
      const chunk = await this.#some(missing)
      missing -= chunk.length
      yield chunk
    }
    await this.#take((blockBytes - (size % blockBytes)) % blockBytes)
  }

  async #take(size: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let missing = size; missing > 0; ) {
      const chunk = await this.#some(missing)
      missing -= chunk.length
      parts.push(chunk)
    }
    return Buffer.concat(parts)
  }

  async #some(most: number): Promise<Buffer> {
    if (this.#left.length === 0) {
      const next = await this.#chunks.next()
      if (next.done)
        throw new AppError('BAD_REQUEST', `The file ${this.#path} ends too early: it is not a whole backup.`)
      this.#left = next.value
    }
    const chunk = this.#left.subarray(0, most)
    this.#left = this.#left.subarray(chunk.length)
    return chunk
  }
}

function notABackup(path: string): AppError {
  return new AppError('BAD_REQUEST', `The file ${path} is not a Cliptape backup.`)
}

function damaged(path: string, entry: string): AppError {
  return new AppError(
    'BAD_REQUEST',
    `The backup ${path} is damaged at ${entry}: use another one. Nothing was restored.`,
  )
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  await folder.sync().finally(() => folder.close())
}
