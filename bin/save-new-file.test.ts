import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { saveNewFile } from './save-new-file.ts'

const newFolder = () => mkdtempSync(join(tmpdir(), 'cliptape-save-'))

async function* pieces(...texts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text
    yield Buffer.from(text)
  }
}

test('writes texts and pieces into new files and never over one that is there', async () => {
  const folder = newFolder()
  expect(await saveNewFile(folder, 'clip.mp4', pieces('one ', 'two'))).toBe(join(folder, 'clip.mp4'))
  expect(await saveNewFile(folder, 'clip.mp4', 'a text')).toBe(join(folder, 'clip-2.mp4'))
  expect(await saveNewFile(folder, 'no-ending', 'x')).toBe(join(folder, 'no-ending'))
  expect(await saveNewFile(folder, 'no-ending', 'y')).toBe(join(folder, 'no-ending-2'))
  expect(readFileSync(join(folder, 'clip.mp4'), 'utf8')).toBe('one two')
  expect(readFileSync(join(folder, 'no-ending'), 'utf8')).toBe('x')
})

test('leaves nothing of a file whose pieces break off, and what was there before', async () => {
  const folder = newFolder()
  await saveNewFile(folder, 'clip.mp4', 'before')
  await expect(saveNewFile(folder, 'clip.mp4', pieces('half', new Error('The connection was lost.')))).rejects.toThrow(
    'The connection was lost.',
  )
  expect(readdirSync(folder)).toEqual(['clip.mp4'])
})
