import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Logger, pino } from 'pino'

/** The program's log: pino, one JSON object a line. Rooms are handed one and never make their own. */
export type Log = Logger

const fileBytesMax = 10 * 1024 * 1024
const oldFilesKept = 3
/** Never in a log, wherever it comes from. */
const redacted = ['token', 'password', 'secret', '*.token', '*.password', '*.secret', 'req.headers.authorization']

/** A log on standard error, for processes without a terminal of their own. */
export function createStderrLog(level: string): Log {
  return pino({ level, base: null, redact: redacted }, pino.destination({ fd: 2, sync: false }))
}

/**
 * A log in a file, for processes whose terminal shows something else. At 10 MiB the file is put aside as `<path>.1`
 * (before that `.1` as `.2`, and so on); three old ones are kept.
 */
export function createFileLog(options: { path: string; level: string }): Log {
  mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 })
  return pino({ level: options.level, base: { pid: process.pid }, redact: redacted }, rotatingFile(options.path))
}

function rotatingFile(path: string): { write(line: string): void } {
  const file = pino.destination({ dest: path, mode: 0o600, sync: true, append: true })
  let bytes = existsSync(path) ? statSync(path).size : 0
  return {
    write(line) {
      if (bytes + line.length > fileBytesMax) {
        shiftOldFiles(path)
        file.reopen()
        bytes = 0
      }
      bytes += line.length
      file.write(line)
    },
  }
}

function shiftOldFiles(path: string): void {
  for (let index = oldFilesKept - 1; index >= 1; index -= 1) {
    if (existsSync(`${path}.${index}`)) renameSync(`${path}.${index}`, `${path}.${index + 1}`)
  }
  renameSync(path, `${path}.1`)
}
