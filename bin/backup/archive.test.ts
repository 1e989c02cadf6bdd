import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeFiles, type Manifest, readArchive, writeArchive } from './archive.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-archive-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function makeArchive(): Promise<string> {
  const source = join(folder, 'source')
  await mkdir(join(source, 'analytics', 'd'.repeat(90)), { recursive: true })
  await writeFile(join(source, 'empty'), '')
  await writeFile(join(source, 'relational.jsonl'), '{"a":1}\n'.repeat(1000))
  await writeFile(join(source, 'analytics', 'd'.repeat(90), 'rows.native'), Buffer.alloc(512 * 3, 7))
  const manifest: Manifest = {
    format: 'cliptape-backup',
    formatVersion: 1,
    cliptapeVersion: '0.0.0',
    madeAt: '2026-01-01T00:00:00.000Z',
    files: await describeFiles(source),
  }
  const path = join(folder, 'backup.tar')
  await writeArchive({ path, folder: source, manifest })
  return path
}

it('brings every file back as it was', async () => {
  const path = await makeArchive()
  const manifest = await readArchive({ path, folder: join(folder, 'back') })
  expect(manifest.files.map(file => file.path)).toEqual([
    `analytics/${'d'.repeat(90)}/rows.native`,
    'empty',
    'relational.jsonl',
  ])
  for (const file of manifest.files) {
    expect(await readFile(join(folder, 'back', file.path))).toEqual(await readFile(join(folder, 'source', file.path)))
  }
})

it('is an ordinary tar archive', async () => {
  const names = execFileSync('tar', ['tf', await makeArchive()], { encoding: 'utf8' })
    .trim()
    .split('\n')
  expect(names[0]).toBe('manifest.json')
  expect(names).toHaveLength(4)
})

it('refuses a file of which one byte is another', async () => {
  const path = await makeArchive()
  const bytes = await readFile(path)
  bytes.writeUInt8(8, bytes.indexOf(Buffer.alloc(100, 7)) + 50)
  await writeFile(path, bytes)
  await expect(readArchive({ path, folder: join(folder, 'back') })).rejects.toThrow(/damaged at analytics/)
})

it('refuses an archive that ends too early, and what is no archive', async () => {
  const path = await makeArchive()
  await truncate(path, 4096)
  await expect(readArchive({ path, folder: join(folder, 'back') })).rejects.toThrow(/ends too early/)
  await writeFile(join(folder, 'text'), 'hello '.repeat(500))
  await expect(readArchive({ path: join(folder, 'text'), folder: join(folder, 'b') })).rejects.toThrow(
    /not a Cliptape backup/,
  )
  await expect(readArchive({ path: join(folder, 'none'), folder: join(folder, 'b') })).rejects.toThrow(/cannot be read/)
})

it('never writes over a file', async () => {
  const path = await makeArchive()
  await expect(
    writeArchive({
      path,
      folder,
      manifest: { format: 'cliptape-backup', formatVersion: 1, cliptapeVersion: '', madeAt: '', files: [] },
    }),
  ).rejects.toThrow(/exists already/)
})
