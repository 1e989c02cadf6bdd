/**
 * The process that the crash test of the vault kills: it opens a home as a start does and changes the key, a few secrets
 * at a time. Lines: `batch <sum>` after each commit, `finished` when the old key is gone.
 */
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { openPglite } from '../db/pglite.ts'
import { prepareHome } from '../home.ts'
import { openHomeKeys } from './home-keys.ts'
import { prepareSealing } from './own-vault.ts'
import { rotateVault } from './rotate.ts'

export const crashRotatorPath = fileURLToPath(import.meta.url)

if (import.meta.main) {
  const paths = await prepareHome(process.argv[2] ?? '')
  const db = await openPglite({ dataDir: paths.relational, log: pino({ level: 'silent' }) })
  const home = await openHomeKeys(paths, { key: null, previous: [] })
  await prepareSealing(db, home.keys, { isSole: true })
  await home.begin()
  const say = (line: string) => writeSync(1, `${line}\n`)
  await rotateVault(db, home.keys, { batchRows: 3, onProgress: ({ rewrapped }) => say(`batch ${rewrapped}`) })
  await home.finish()
  say('finished')
  await db.close()
}
