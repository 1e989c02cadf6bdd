import { toCsv } from './csv.ts'

/** Formats that a list can be exported in. */
export type ExportFormat = 'csv' | 'json'

/** What is exported: rows as the server sent them, with the circumstances that make the numbers worth something. */
export interface ExportedList {
  /** What the file is named for, e.g. `TOP clips 24h`. */
  title: string
  columns: readonly string[]
  rows: readonly Readonly<Record<string, unknown>>[]
  /** The instant of the data, ISO 8601 UTC, or null when nothing has come yet. */
  asOf: string | null
  /** What the numbers are, in plain words: a replay says so in the file as well. */
  notice: string
}

/**
 * Writes a new file, of a text or of pieces as they come, and returns where it lies, in words for the status line. It must
 * never overwrite one; when the pieces break off, nothing of it may be left.
 */
export type SaveFile = (name: string, content: string | AsyncIterable<Uint8Array>) => Promise<string>

/** Saves a list and returns a sentence for the status line; a failure is a sentence as well, never a throw. */
export async function exportList(
  saveFile: (name: string, text: string) => Promise<string>,
  list: ExportedList,
  format: ExportFormat,
): Promise<string> {
  const text = format === 'csv' ? toCsv(list.columns, list.rows) : toJson(list)
  try {
    const path = await saveFile(fileName(list.title, list.asOf, format), text)
    return `Saved ${list.rows.length} ${list.rows.length === 1 ? 'row' : 'rows'} to ${path}`
  } catch (error) {
    return `The list was not saved: ${error instanceof Error ? error.message : 'the file could not be written.'}`
  }
}

/** One JSON object; each row on a line of its own. Columns that a row lacks are left out. */
function toJson({ title, asOf, notice, columns, rows }: ExportedList): string {
  const head = JSON.stringify({ title, asOf, notice, columns }, null, 2).slice(0, -2)
  const lines = rows.map(row => `    ${JSON.stringify(row)}`)
  return `${head},\n  "rows": [${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n  `}]\n}\n`
}

/** `cliptape-top-clips-24h-20171114T063000Z.csv`: only letters, digits and hyphens, whatever the title holds. */
export function fileName(title: string, asOf: string | null, format: string): string {
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '')
  const at = (asOf ?? '').replace(/\.\d+/, '').replace(/[^0-9TZ]/g, '')
  return `${['cliptape', slug, at].filter(part => part !== '').join('-')}.${format}`
}
