import { afterAll, beforeAll, expect, it } from 'vitest'
import { quote } from '../clickhouse/literal.ts'
import { readCorpus } from './corpus.ts'
import { isAllowedTableFunction, isRefusedFunction } from './functions.ts'
import { canaries, type GateRig, openGateRig } from './gate-rig.ts'

let rig: GateRig
beforeAll(async () => {
  rig = await openGateRig()
})
afterAll(() => rig.close())

const seed = Number(process.env.CLIPTAPE_FUZZ_SEED ?? 20261121)
const statementCount = Number(process.env.CLIPTAPE_FUZZ_STATEMENTS ?? 400)

it('lets no mutation of attacks and legitimate statements read beyond v and mine', {
  timeout: 60_000 + statementCount * 100,
}, async () => {
  const random = randomFrom(seed)
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)]
  // The canaries' own words would come back as the literals that they are.
  const corpus = [...readCorpus('attacks', rig), ...readCorpus('legitimate', rig)].map(sql =>
    sql.replaceAll('CANARY', 'x'),
  )
  const parts = corpus.map(splitUp)
  const before = await rig.state()
  const broken: string[] = []
  let passedCount = 0
  for (let index = 0; index < statementCount; index += 1) {
    const sql = mutate(pick(parts) ?? [], pick(parts) ?? [], { random, pick })
    const isPassed = await rig.gate.check(sql).then(
      () => true,
      () => false,
    )
    if (!isPassed) continue
    passedCount += 1
    const limits = { ...rig.limits, timeSecMax: 2 }
    const shown = await rig.gate.run({ sql, userId: rig.user, limits, tag: 'fuzz' }).then(
      ({ rows }) => JSON.stringify(rows),
      (error: unknown) => String(error),
    )
    if ([canaries.file, canaries.table].some(canary => shown.includes(canary))) broken.push(`${sql} → ${shown}`)
    broken.push(...(await readsBeyond(sql)).map(read => `${sql} → ${read}`))
  }
  expect(broken, `CLIPTAPE_FUZZ_SEED=${seed}`).toEqual([])
  expect(passedCount).toBeGreaterThan(statementCount / 20)
  expect(await rig.state()).toBe(before)
})

/** What the engine itself says that a statement would read, as far as it is neither a view of ours nor harmless. */
async function readsBeyond(sql: string): Promise<string[]> {
  const settings = { max_execution_time: 2, readonly: 1 }
  const formatted = await rig.store.query<{ text: string }>(`SELECT formatQuerySingleLine(${quote(sql)}) AS text`)
  const text = (formatted[0]?.text ?? '').replace(
    /\bmine\.(samples|videos|creators|topics|creator_samples)\b(?!\.)/g,
    `$&(owner = '${rig.user}')`,
  )
  const lines = await rig.store
    .query<{ explain: string }>(`EXPLAIN QUERY TREE ${text}`, { settings })
    // A statement that fails when it is run fails here, too.
    .catch(() => [])
  return lines.flatMap(({ explain }) => {
    const found = (name: string) => new RegExp(`\\b${name}: ([^\\s,]+)`).exec(explain)?.[1]
    const [table, tableFunction, call] = [found('table_name'), found('table_function_name'), found('function_name')]
    if (table !== undefined && !/^(v|mine)\./.test(table) && !isNoTable(table, text)) return [table]
    if (tableFunction !== undefined && !isAllowedTableFunction(tableFunction)) return [tableFunction]
    return call !== undefined && isRefusedFunction(call) && !ownCalls.test(call) ? [call] : []
  })
}

/** Refused functions that the engine itself puts in: for IN, and for a part of a tuple. */
const ownCalls = /in$|^getSubcolumn$/i

/** A SELECT without FROM reads the one row of `system.one`; a subquery that refers to itself is kept in memory. */
function isNoTable(table: string, text: string): boolean {
  const code = text.replace(/'(?:\\.|[^'\\])*'/g, '')
  if (table.startsWith('_temporary_and_external_tables._tmp_')) return code.includes('RECURSIVE')
  return table === 'system.one' && !/system/i.test(code)
}

type Random = { random: () => number; pick: <T>(items: readonly T[]) => T | undefined }

function mutate(own: readonly string[], foreign: readonly string[], { random, pick }: Random): string {
  const parts = [...own]
  const at = () => Math.floor(random() * (parts.length + 1))
  const mutations = [
    () => parts.splice(at(), 1),
    () => parts.splice(at(), 1, pick(foreign) ?? ''),
    () => parts.splice(at(), 0, pick(foreign) ?? ''),
    () => parts.splice(at(), 0, ...slice(foreign, random)),
    () => parts.splice(at(), Math.ceil(random() * 4), ...slice(foreign, random)),
    () => parts.splice(at(), 0, pick(oddities) ?? ''),
    () => change(parts, random, part => `\`${part}\``),
    () => change(parts, random, part => `"${part}"`),
    () => change(parts, random, part => part.toUpperCase()),
    () => change(parts, random, part => `(${part})`),
    () => change(parts, random, part => `cliptape.${part}`),
    () => change(parts, random, part => `${part}/**/`),
    () => parts.unshift('select', '*', 'from', '(').toString() && parts.push(')'),
    () => parts.unshift('with', 'x', 'as', '(').toString() && parts.push(')', 'select', '*', 'from', 'x'),
    () => parts.push('union', 'all', ...foreign),
  ]
  for (let left = 1 + Math.floor(random() * 3); left > 0; left -= 1) pick(mutations)?.()
  return parts.join(' ').replaceAll(' . ', '.').slice(0, 19_000)
}

const oddities = [
  'cliptape.canary_v1',
  'system.one',
  'mine.samples',
  'v.samples',
  'canary_v1',
  'file',
  'in',
  'as',
  ',',
  '.',
  '(',
  ')',
  '*',
  '->',
  '--',
  '/*',
  ';',
  '$$',
  '`',
  "'",
  '"',
  '\\',
  '{x:String}',
  'format',
  'settings',
  '\u00a0',
  '\ufeff',
  '｀',
  'array join',
  'materialized',
  'with fill',
  "merge('cliptape', 'canary_v1')",
  "values('a UInt8, b String alias getSetting(''readonly'')', 1)",
  'as FILL',
  'as merge',
  'as WINDOW',
  '`AS`',
  '`WHERE`',
  '`ARRAY`',
  'DISTINCT',
  'offset 1',
  'from',
]

function slice(parts: readonly string[], random: () => number): string[] {
  const start = Math.floor(random() * parts.length)
  return parts.slice(start, start + 1 + Math.floor(random() * 8))
}

function change(parts: string[], random: () => number, to: (part: string) => string): void {
  const index = Math.floor(random() * parts.length)
  const part = parts[index]
  if (part !== undefined) parts[index] = to(part)
}

/** Words, strings and signs. */
function splitUp(sql: string): string[] {
  return sql.match(/'(?:''|[^'])*'|`[^`]*`|"[^"]*"|\w+|\S/g) ?? []
}

/** Mulberry32: the same numbers from the same seed, in [0, 1). */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
