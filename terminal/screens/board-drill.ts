import type { FilledSource, Panel } from '../../contracts/dashboards.ts'
import { trendTypes } from '../../contracts/measures.ts'
import { formatSubject, type Subject } from '../command/subject.ts'
import type { PanelRow } from './board-answers.ts'
import { textOf } from './board-values.ts'

const subjectTypes = { clips: 'clip', creators: 'creator', topics: 'topic' } as const

/** What a row of a panel is about: what its panel says, or what its query is known to give. */
export function subjectOfRow(panel: Panel, source: FilledSource, row: PanelRow | undefined): Subject | null {
  if (panel.subject !== undefined)
    return row === undefined ? null : subject(panel.subject.type, row.values[panel.subject.field])
  if (!('name' in source)) return null
  const type = trendTypes.find(each => each === (source.params.type ?? 'clips')) ?? 'clips'
  switch (source.name) {
    case 'trends':
    case 'movers':
      return row === undefined ? null : subject(type, row.key)
    case 'series':
    case 'describe':
      return subject(type, source.params.id)
    default:
      return null
  }
}

/** The command that tells more of a row; null where there is none. */
export function drillCommand(panel: Panel, source: FilledSource, row: PanelRow | undefined): string | null {
  const about = subjectOfRow(panel, source, row)
  if (about !== null) return `${formatSubject(about)} ${'name' in source && source.name === 'series' ? 'GP' : 'DES'}`
  if (!('name' in source)) return null
  switch (source.name) {
    case 'index':
      return row === undefined ? null : `TOP NICHE=${textOf(row.values.niche)}`
    case 'ops':
    case 'deadLetters':
      return 'OPS'
    case 'quota':
      return 'KEYS'
    default:
      return null
  }
}

function subject(type: keyof typeof subjectTypes, value: unknown): Subject | null {
  const id = textOf(value)
  return id === '' ? null : { type: subjectTypes[type], id }
}
