// Writes the files that are made from code: npm run docs.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../../sql/read.ts'
import { generatedPages } from './pages.ts'

for (const [path, make] of Object.entries(generatedPages)) {
  await writeFile(join(packageRoot, path), make())
  console.log(path)
}
