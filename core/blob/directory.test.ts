import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { directoryBlobStore } from './directory.ts'
import type { BlobStore } from './port.ts'
import { describeBlobStore } from './port-suite.ts'

let root: string
let store: BlobStore

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cliptape-blob-'))
  store = directoryBlobStore({ root: join(root, 'blobs') })
})

afterEach(async () => {
  await rm(root, { recursive: true })
})

describe('directory blob store', () => {
  describeBlobStore(() => store)

  it('leaves no part of a body that broke off', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('half of the n')
        throw new Error('connection lost')
      })(),
    )
    await expect(store.put('a', broken)).rejects.toThrow('connection lost')
    expect(await readdir(join(root, 'blobs', '.parts'))).toEqual([])
  })

  it('calls a folder that cannot be one unavailable or missing, not a fault of the caller', async () => {
    await writeFile(join(root, 'file'), 'x')
    const misplaced = directoryBlobStore({ root: join(root, 'file') })
    expect(await misplaced.stat('a')).toBeNull()
    expect(await misplaced.list('', 1)).toEqual([])
  })
})
