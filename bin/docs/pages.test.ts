import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../sql/read.ts'
import { generatedPages } from './pages.ts'

describe('the files that are made from code', () => {
  it.each(Object.keys(generatedPages))('%s is as the code makes it (npm run docs writes it)', async path => {
    expect(await readFile(join(packageRoot, path), 'utf8')).toBe(generatedPages[path]?.())
  })
})
