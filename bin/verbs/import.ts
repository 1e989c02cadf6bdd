import type { Command } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import { type ImportProgress, type ImportRequest, ImportRequestSchema } from '../../contracts/import.ts'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { existingFile } from '../existing-file.ts'
import { createImportView } from '../import-view.ts'
import { withLocalStores } from '../local-stores.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

interface ImportOptions {
  as?: string
  region?: string
  dryRun?: boolean
  json?: boolean
}

export function addImport(program: Command, context: VerbContext): void {
  program
    .command('import')
    .description('Import tables of statistics: known data sets, or the generic format of docs/import.md.')
    .argument('<files...>', 'CSV, JSON, JSONL or Parquet files; .gz is read directly')
    .option('--as <format>', 'Name the format instead of recognising it (docs/import.md lists them).')
    .option('--region <code>', 'Country code of a table whose name does not say it, e.g. US.')
    .option('--dry-run', 'Read and count, write nothing.')
    .option('--json', 'Print each step as one JSON object a line.')
    .action(async (files: string[], options: ImportOptions) => {
      const request = await requestOf(context, files, options)
      const view = createImportView({ context, isJson: options.json === true, isDryRun: request.dryRun })
      let failed = 0
      const onProgress = (progress: ImportProgress): void => {
        if (progress.type === 'done') failed = progress.failed
        view.show(progress)
      }
      const server = await findServer(homePaths(configOf(context).home))
      try {
        if (server) await throughServer(signal => server.import(request, onProgress, signal))
        else await importHere(context, request, onProgress)
      } finally {
        view.close()
      }
      if (failed > 0) context.exitCode = 1
    })
}

async function requestOf(context: VerbContext, files: string[], options: ImportOptions): Promise<ImportRequest> {
  const paths = await Promise.all(files.map(file => existingFile(context, file)))
  const parsed = ImportRequestSchema.safeParse({
    files: paths,
    ...(options.as === undefined ? {} : { as: options.as }),
    ...(options.region === undefined ? {} : { region: options.region }),
    dryRun: options.dryRun === true,
  })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new AppError('BAD_REQUEST', `--${issue?.path.join('.')} is not valid: ${issue?.message}.`)
}

/** Ctrl-C closes the connection, and the server ends the import at its next batch. */
async function throughServer(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  await run(stop.signal).catch(error => {
    if (stop.signal.aborted)
      throw new AppError('GONE', 'The import was interrupted. Run it again: what is in stays, the rest follows.')
    throw error
  })
}

async function importHere(
  context: VerbContext,
  request: ImportRequest,
  onProgress: (progress: ImportProgress) => void,
): Promise<void> {
  await withLocalStores(context, async (stores, options, signal) => {
    const { importLocally } = await import('../compose/local-work.ts')
    await importLocally(stores, options, request, onProgress, signal)
  })
}
