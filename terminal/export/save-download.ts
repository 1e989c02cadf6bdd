import type { HttpClient, JsonBody } from '../net/http-client.ts'
import { formatBytes } from '../text/format.ts'
import type { SaveFile } from './export-list.ts'

/** A file that a server offers. */
export interface OfferedFile {
  /** A whole http or https address that takes no token. */
  url: string
  /** As the server calls it. */
  fileName: string
  /** How long it is. */
  bytes: number
}

/** How often it is said how far a file is: after every so many percent. */
const sayEveryPercent = 5

/** Downloads a file, says how it goes in the status line, and how it ended; a failure is a sentence as well, never a throw. */
export async function saveDownload(
  file: OfferedFile,
  deps: { http: HttpClient; saveFile: SaveFile; say(sentence: string): void; signal: AbortSignal },
): Promise<void> {
  const { say, signal } = deps
  const name = safeName(file.fileName)
  say(`Downloading ${name}, ${formatBytes(file.bytes)}…`)
  const answer = await deps.http.open.bytes(file.url, signal)
  if (signal.aborted) return
  if (!answer.ok) return say(answer.message)
  try {
    const path = await deps.saveFile(
      name,
      counted(answer.pieces, file, percent => say(`${name}: ${percent}%`)),
    )
    say(`Saved ${formatBytes(file.bytes)} to ${path}`)
  } catch (error) {
    if (signal.aborted) return
    say(`${name} was not saved: ${error instanceof Error ? error.message : 'the file could not be written.'}`)
  }
}

/** The answer to a request of ours, as a file. */
export interface AnswerFile {
  path: string
  body: JsonBody
  /** Letters, digits, hyphens and points. */
  fileName: string
}

/** Saves the answer to posted JSON, however long it is, and says how it ended; a failure is a sentence as well, never a throw. */
export async function saveAnswer(
  file: AnswerFile,
  deps: { http: HttpClient; saveFile: SaveFile; say(sentence: string): void; signal: AbortSignal },
): Promise<void> {
  const { say, signal } = deps
  say(`Saving ${file.fileName}…`)
  const answer = await deps.http.stream(file.path, file.body, signal)
  if (signal.aborted) return
  if (!answer.ok) return say(answer.message)
  let bytes = 0
  async function* metered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      bytes += piece.length
      yield piece
    }
  }
  try {
    const path = await deps.saveFile(file.fileName, metered(answer.pieces))
    say(`Saved ${formatBytes(bytes)} to ${path}`)
  } catch (error) {
    if (signal.aborted) return
    say(`${file.fileName} was not saved: ${error instanceof Error ? error.message : 'the file could not be written.'}`)
  }
}

/** The pieces of a file of known length. @throws Error when there are fewer or more */
async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  { bytes }: OfferedFile,
  onPercent: (percent: number) => void,
): AsyncGenerator<Uint8Array> {
  let received = 0
  let said = 0
  for await (const piece of pieces) {
    received += piece.length
    yield piece
    const percent = Math.floor((received / bytes) * 100)
    if (percent < said + sayEveryPercent || received >= bytes) continue
    said = percent
    onPercent(percent)
  }
  if (received !== bytes) throw new Error(`${formatBytes(received)} of ${formatBytes(bytes)} came.`)
}

/** A name in the folder itself, whatever the server calls the file. */
function safeName(fileName: string): string {
  const name = fileName.replace(/[^\p{L}\p{N}._ -]+/gu, '-').replace(/^[. -]+/, '')
  return name === '' ? 'clip' : name.slice(-100)
}
