import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { AppError } from '../../contracts/errors.ts'
import type { JsonObject } from '../formats/format.ts'
import type { FileHead } from './file-text.ts'

/** Rows held at once. A row group larger than this is decoded once per slice, which costs time but not memory. */
const sliceRowsMax = 50_000

type Decompress = (input: Uint8Array, outputLength: number) => Uint8Array
/** Snappy is built into the reader; the rest comes from Node. */
const compressors: Record<'GZIP' | 'ZSTD' | 'BROTLI', Decompress> = {
  GZIP: input => gunzipSync(input),
  ZSTD: input => zstdDecompressSync(input),
  BROTLI: input => brotliDecompressSync(input),
}

/**
 * The rows of a Parquet file, slice by slice. `share` is how far the file has been read, 0 to 1.
 * @throws BAD_REQUEST when the file is cut short, broken, or packed in a way that cannot be read
 */
export async function* readParquetSlices(head: FileHead): AsyncGenerator<{ rows: JsonObject[]; share: number }> {
  const broken = (cause: unknown) =>
    new AppError(
      'BAD_REQUEST',
      `The Parquet file ${head.name} is damaged, cut short, or packed in a way that cannot be read.`,
      { cause },
    )
  let metadata: FileMetaData
  const file = await asyncBufferFromFile(head.path)
  try {
    metadata = await parquetMetadataAsync(file)
  } catch (cause) {
    throw broken(cause)
  }
  const rowCount = Number(metadata.num_rows)
  let groupStart = 0
  for (const group of metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows)
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += sliceRowsMax) {
      const rowEnd = Math.min(groupEnd, rowStart + sliceRowsMax)
      let rows: JsonObject[]
      try {
        rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors })
      } catch (cause) {
        throw broken(cause)
      }
      yield { rows, share: rowEnd / rowCount }
    }
    groupStart = groupEnd
  }
}
