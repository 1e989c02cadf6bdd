import { recogniseFormat } from './formats/recognise.ts'
import { readHead, surveyFile } from './read/file-text.ts'
import { latestInstant, type OpenFile, parseDocument } from './read/records.ts'

/** A file that was looked through once and is ready to be read. */
export interface SurveyedFile extends OpenFile {
  /** Of the file as it lies on the disk. */
  readonly sha256: string
  /** Sentences about it for the summary. */
  readonly notes: readonly string[]
}

/**
 * Recognises a file and looks through it once without writing anything: whether its gzip is whole, its checksum, its
 * country, and for snapshots without a time the latest instant it mentions.
 * @throws NOT_FOUND or BAD_REQUEST with a sentence that names the file
 */
export async function openFile(
  path: string,
  options: { as?: string | undefined; region?: string | undefined },
  signal?: AbortSignal,
): Promise<SurveyedFile> {
  const head = await readHead(path)
  const recognised = recogniseFormat(head, options.as)
  const { sha256 } = await surveyFile(head, signal)
  const { format } = recognised
  const document = format.container === 'json' ? await parseDocument(head, format, signal) : null
  const notes = document?.note && !options.region ? [document.note] : []
  const region = (
    options.region ??
    (document?.region || (format.isPerCountry ? regionOf(head.name) : ''))
  ).toUpperCase()
  if (format.isPerCountry && region === '') {
    notes.push('Neither the file’s name nor --region says which country this table is of; its rows name none.')
  }
  let snapshotAtMs = 0
  if (format.instantOf) {
    const file = { head, recognised, document }
    const latestMs = await latestInstant(file, signal)
    snapshotAtMs = latestMs ?? 0
    if (latestMs !== null) {
      const at = new Date(latestMs).toISOString()
      notes.push(`The file does not say when it was read: the latest time in it, ${at}, is used.`)
    }
  }
  return { head, recognised, document, context: { region, snapshotAtMs }, sha256, notes }
}

/** The country that a table's name gives: `INvideos.csv`, `18.01.11_US_videos.csv`, `BR_youtube_trending_data.csv`, … */
export function regionOf(fileName: string): string {
  const match = /^([A-Z]{2})(?:videos|[-_])/.exec(fileName) ?? /_([A-Z]{2})_videos/.exec(fileName)
  return match?.[1] ?? ''
}
