import { type FileHandle, open, rm } from 'node:fs/promises'
import { join, parse } from 'node:path'

const numberedNamesMax = 1_000

/**
 * Writes a new file, never over another one: `top.csv`, then `top-2.csv`. Resolves to its path.
 * @throws what writing throws, or the pieces do; nothing of the file is left then
 */
export async function saveNewFile(
  folder: string,
  name: string,
  content: string | AsyncIterable<Uint8Array>,
): Promise<string> {
  const { file, path } = await createNew(folder, name)
  try {
    await file.writeFile(content).finally(() => file.close())
    return path
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

async function createNew(folder: string, name: string): Promise<{ file: FileHandle; path: string }> {
  const { name: stem, ext } = parse(name)
  for (let number = 1; ; number += 1) {
    const path = join(folder, number === 1 ? name : `${stem}-${number}${ext}`)
    try {
      return { file: await open(path, 'wx', 0o600), path }
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST'
      if (!isTaken || number === numberedNamesMax) throw error
    }
  }
}
