import { CommanderError } from 'commander'
import { AppError } from '../contracts/errors.ts'
import { readEnvironment } from '../core/config.ts'
import { createProgram } from './program.ts'
import type { VerbContext } from './verb-context.ts'

const exitGraceMs = 2_000

/** 0 done, 1 failed, 2 used wrongly. */
async function main(): Promise<number> {
  process.title = 'cliptape'
  const context: VerbContext = {
    env: readEnvironment(process.cwd()),
    cwd: process.cwd(),
    exitCode: 0,
    out: text => void process.stdout.write(`${text}\n`),
    note: text => void process.stderr.write(`${text}\n`),
  }
  await createProgram(context).parseAsync(process.argv)
  return context.exitCode
}

function reportFailure(error: unknown): number {
  // Commander has printed the sentence itself; help and version come here with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof AppError) {
    process.stderr.write(`${error.message}\n`)
    return 1
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`Cliptape failed because of an unexpected error.\n${text}\n`)
  return 1
}

// A reader that stops early (`| head`) is no failure of ours, nor is a window that was closed (EIO): its SIGHUP ends us.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  if (error.code !== 'EIO') throw error
})
process.exitCode = await main().catch(reportFailure)
// Output still on its way to a pipe is let through; a handle that somebody forgot does not keep us.
setTimeout(() => process.exit(), exitGraceMs).unref()
