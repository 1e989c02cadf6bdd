import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import { type QueryRequest, QueryResultSchema } from '../../contracts/queries.ts'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { withLocalStores } from '../local-stores.ts'
import { renderTable } from '../render-table.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

interface QueryOptions {
  format: 'jsonl' | 'csv' | 'json' | 'table'
  param: Record<string, string>
}

export function addQuery(program: Command, context: VerbContext): void {
  program
    .command('query')
    .description('Ask the schemas v (public numbers) and mine (your own) in SQL. Read only.')
    .argument('<sql>', 'e.g. "select * from v.trends limit 10"')
    .addOption(
      new Option('--format <format>', 'How the answer is printed.')
        .choices(['table', 'jsonl', 'csv', 'json'])
        .default('table'),
    )
    .option('--param <name=value>', 'A value for {name:Type} in the SQL; may be repeated.', addParam, {})
    .action(async (sql: string, options: QueryOptions) => {
      const { format } = options
      if (sql.trim() === '' || sql.length > 20_000) {
        throw new AppError('BAD_REQUEST', 'The SQL must have between 1 and 20000 characters.')
      }
      const request: QueryRequest = { sql, params: options.param, format: format === 'table' ? 'json' : format }
      const print = async (answer: Readable): Promise<void> => {
        if (format === 'table') context.out(renderTable(QueryResultSchema.parse(JSON.parse(await text(answer)))))
        else await pour(answer)
      }
      const server = await findServer(homePaths(configOf(context).home))
      if (server) {
        await print(await server.query(request))
        return
      }
      await withLocalStores(context, async (stores, _options, signal) => {
        const { openQueryStream } = await import('../query-stream.ts')
        await print(await openQueryStream(stores, request, signal))
      })
    })
}

async function pour(answer: Readable): Promise<void> {
  let isLineEnd = true
  for await (const chunk of answer) {
    if (!process.stdout.write(chunk)) await new Promise(resolve => process.stdout.once('drain', resolve))
    if (chunk.length > 0) isLineEnd = chunk.at(-1) === 0x0a
  }
  if (!isLineEnd) process.stdout.write('\n')
}

/** The value stays text: what it means, the type in the SQL says. */
function addParam(text: string, params: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must have the form name=value.')
  return { ...params, [text.slice(0, at)]: text.slice(at + 1) }
}
