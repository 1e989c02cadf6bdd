import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GateRig } from './gate-rig.ts'

/** Statements of a list under one heading, as they stand there. */
export interface CorpusSection {
  readonly title: string
  readonly statements: readonly string[]
}

/** One list in `corpus/`: those that must never run, and those that must. */
export function corpusSections(name: 'attacks' | 'legitimate'): CorpusSection[] {
  const text = readFileSync(join(import.meta.dirname, 'corpus', `${name}.sql-list`), 'utf8')
  return text.split('\n\n').flatMap(part => {
    const lines = part.split('\n').filter(line => line !== '')
    const statements = lines.filter(line => !line.startsWith('#'))
    return statements.length === 0 ? [] : [{ title: lines[0]?.replace(/^# /, '') ?? '', statements }]
  })
}

/** The statements of one list, with the places of files and users filled in. */
export function readCorpus(name: 'attacks' | 'legitimate', rig: GateRig): string[] {
  return corpusSections(name)
    .flatMap(({ statements }) => statements)
    .map(line =>
      line
        .replaceAll('{canary}', rig.canaryPath)
        .replaceAll('{out}', rig.outPath)
        .replaceAll('{other}', rig.other)
        .replaceAll('\\n', '\n'),
    )
}
