import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import {
  type ControlQueryRequest,
  type QueryFormat,
  QueryStreamMessageSchema,
  sqlCharsMax,
} from '../../contracts/queries.ts'
import type { ReadOnlyColumn, ReadOnlyPart } from '../../core/clickhouse/port.ts'
import { homePaths } from '../../core/home.ts'
import { renderParts } from '../../core/sql-gate/rows-out.ts'
import { findServer, isErrorCode } from '../control-client.ts'
import { withLocalStores } from '../local-stores.ts'
import { renderTable } from '../render-table.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

const formats = ['table', 'csv', 'json', 'jsonl', 'parquet', 'markdown'] as const satisfies readonly (
  | QueryFormat
  | 'table'
)[]

interface QueryOptions {
  format: (typeof formats)[number]
  param: Record<string, string>
  saved?: string
}

/** A table is as wide as its widest rows: so many are held for it. */
const tableRowsMax = 10_000

export function addQuery(program: Command, context: VerbContext): void {
  const verb = program
    .command('query')
    .description('Ask the schemas v (public numbers) and mine (your own) in SQL. Read only. Ctrl-C stops the query.')
    .argument('[sql]', 'e.g. "select * from v.trends limit 10"')
    .addOption(new Option('--format <format>', 'How the answer is printed.').choices(formats).default('table'))
    .option('--saved <name>', 'Run a saved query instead, by its name or id.')
    .option('--param <name=value>', 'A value for {name:Type} in the SQL; may be repeated.', addParam, {})
    .action(async (sql: string | undefined, options: QueryOptions) => {
      const request = requestOf(verb, sql, options)
      const server = await findServer(homePaths(configOf(context).home))
      if (server) {
        await print(await server.query(request), options.format, context)
        return
      }
      await withLocalStores(context, async (stores, _options, signal) => {
        const { openQueryStream } = await import('../query-stream.ts')
        await print(await openQueryStream(stores, request, signal), options.format, context)
      })
    })
}

/** Text is written here, so that what fails after the first row is a sentence and no cut connection. */
function requestOf(verb: Command, sql: string | undefined, options: QueryOptions): ControlQueryRequest {
  const { saved, param } = options
  const asked = { params: param, format: options.format === 'parquet' ? 'parquet' : 'stream' } as const
  if ((sql === undefined) === (saved === undefined)) verb.error('error: give either SQL or --saved <name>')
  if (saved !== undefined) return { ...asked, saved }
  if (sql === undefined || sql.trim() === '' || sql.length > sqlCharsMax) {
    throw new AppError('BAD_REQUEST', `The SQL must have between 1 and ${sqlCharsMax} characters.`)
  }
  return { ...asked, sql }
}

async function print(answer: Readable, format: QueryOptions['format'], context: VerbContext): Promise<void> {
  if (format === 'parquet') await pour(answer)
  else if (format === 'table') await printTable(partsOf(answer), context)
  else await pour(renderParts(partsOf(answer), format))
}

async function printTable(parts: AsyncIterable<ReadOnlyPart>, context: VerbContext): Promise<void> {
  let columns: readonly ReadOnlyColumn[] = []
  const rows: unknown[][] = []
  for await (const part of parts) {
    if (part.kind === 'columns') columns = part.columns
    if (part.kind === 'rows') rows.push(...part.rows)
    if (rows.length > tableRowsMax) break
  }
  context.out(renderTable({ columns: [...columns], rows: rows.slice(0, tableRowsMax) }))
  if (rows.length > tableRowsMax) {
    context.note(`These are the first ${tableRowsMax} rows: --format csv gives all of them.`)
  }
}

/** The answer in the format `stream`. @throws AppError what the server says went wrong; UNAVAILABLE when it was cut off */
async function* partsOf(answer: Readable): AsyncGenerator<ReadOnlyPart, void, void> {
  let isDone = false
  try {
    for await (const line of createInterface({ input: answer })) {
      const message = QueryStreamMessageSchema.parse(JSON.parse(line))
      isDone = message.type === 'done'
      if (message.type === 'error')
        throw new AppError(isErrorCode(message.code) ? message.code : 'INTERNAL', message.message)
      if (message.type === 'columns') yield { kind: 'columns', columns: message.columns }
      else if (message.type === 'rows') yield { kind: 'rows', rows: message.rows }
      else yield { kind: 'progress', statistics: message.statistics }
    }
  } finally {
    answer.destroy()
  }
  if (!isDone) throw new AppError('UNAVAILABLE', 'The answer was cut off: ask again.')
}

async function pour(answer: AsyncIterable<string | Buffer>): Promise<void> {
  for await (const chunk of answer) {
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain')
  }
}

/** The value stays text: what it means, the type in the SQL says. */
function addParam(text: string, params: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must have the form name=value.')
  return { ...params, [text.slice(0, at)]: text.slice(at + 1) }
}
