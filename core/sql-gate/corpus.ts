import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GateRig } from './gate-rig.ts'

/** The statements of one list in `corpus/`, with the places of files and users filled in. */
export function readCorpus(name: 'attacks' | 'legitimate', rig: GateRig): string[] {
  return readFileSync(join(import.meta.dirname, 'corpus', `${name}.sql-list`), 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line =>
      line
        .replaceAll('{canary}', rig.canaryPath)
        .replaceAll('{out}', rig.outPath)
        .replaceAll('{other}', rig.other)
        .replaceAll('\\n', '\n'),
    )
}
