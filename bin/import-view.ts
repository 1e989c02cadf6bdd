import { basename } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { ImportProgress, ImportSummary } from '../contracts/import.ts'
import type { VerbContext } from './verb-context.ts'

const barCells = 24
/** Without a terminal a line now and then is enough. */
const plainLineEveryMs = 5_000

/** Shows an import: a bar that stays on its line on a terminal, plain lines elsewhere, JSON lines when asked for. */
export function createImportView(options: { context: VerbContext; isJson: boolean; isDryRun: boolean }): {
  show(progress: ImportProgress): void
  close(): void
} {
  const { context, isJson, isDryRun } = options
  if (isJson) return { show: progress => context.out(JSON.stringify(progress)), close: () => undefined }
  const bar = process.stderr.isTTY ? terminalBar() : plainBar(context)
  return {
    show(progress) {
      switch (progress.type) {
        case 'file':
          bar.clear()
          context.note(`${nameOf(progress.file)}: ${progress.format}`)
          return
        case 'progress':
          bar.show(progressText(progress))
          return
        case 'fileDone':
          bar.clear()
          for (const line of summaryLines(progress.summary, isDryRun)) context.out(line)
          return
        case 'fileFailed':
          bar.clear()
          context.note(`${nameOf(progress.file)}: failed. ${progress.message}`)
          return
        case 'done':
          bar.clear()
          context.out(doneText(progress.files, progress.failed, isDryRun))
      }
    },
    close: () => bar.clear(),
  }
}

interface Bar {
  show(text: string): void
  clear(): void
}

function terminalBar(): Bar {
  return {
    show: text => process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`),
    clear: () => process.stderr.write('\r\x1b[K'),
  }
}

function plainBar(context: VerbContext): Bar {
  let lastAtMs = performance.now()
  return {
    show(text) {
      if (performance.now() - lastAtMs < plainLineEveryMs) return
      lastAtMs = performance.now()
      context.note(text)
    },
    clear: () => undefined,
  }
}

function progressText(progress: Extract<ImportProgress, { type: 'progress' }>): string {
  const share = progress.bytesTotal > 0 ? Math.min(1, progress.bytesRead / progress.bytesTotal) : 1
  const full = Math.round(share * barCells)
  const eta = progress.etaSeconds === null ? '' : `, ${Math.ceil(progress.etaSeconds)} s left`
  const rate = `${count(Math.round(progress.rowsPerSecond))} rows/s`
  return `[${'#'.repeat(full)}${'.'.repeat(barCells - full)}] ${String(Math.floor(share * 100)).padStart(3)}%  ${count(progress.rowsRead)} rows, ${rate}${eta}`
}

function summaryLines(summary: ImportSummary, isDryRun: boolean): string[] {
  const written = Object.entries(summary.written)
    .filter(([, rows]) => rows > 0)
    .map(([kind, rows]) => `${count(rows)} ${kind}`)
  const reasons = (name: string, counts: Record<string, number>) =>
    Object.entries(counts).map(([reason, rows]) => `  ${name} ${count(rows)}: ${reason}`)
  return [
    `${nameOf(summary.file)}: ${count(summary.rowsRead)} rows read, ${count(summary.accepted)} accepted in ${(summary.durationMs / 1000).toFixed(1)} s`,
    ...(written.length > 0 ? [`  ${isDryRun ? 'would write' : 'written'}: ${written.join(', ')}`] : []),
    ...reasons('dropped', summary.dropped),
    ...reasons('dead-lettered', summary.deadLettered),
    ...summary.notes.map(note => `  note: ${stripVTControlCharacters(note)}`),
  ]
}

function doneText(files: number, failed: number, isDryRun: boolean): string {
  const what = `${files} ${files === 1 ? 'file' : 'files'}${failed > 0 ? `, ${failed} failed` : ''}`
  return isDryRun ? `Dry run over ${what}: nothing was written.` : `Done: ${what}.`
}

/** A file's name may hold anything. */
function nameOf(path: string): string {
  return stripVTControlCharacters(basename(path)).replace(/\p{Cc}/gu, '?')
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
