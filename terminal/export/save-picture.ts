import type { SaveFile } from './export-list.ts'
import { fileName } from './export-list.ts'

/** Makes a PNG of an SVG. */
export type RenderPng = (svg: string) => Promise<Uint8Array>

/** Saves a picture as a new file and returns a sentence for the status line; a failure is a sentence as well, never a throw. */
export async function savePicture(
  picture: { title: string; svg: string },
  o: { format: 'svg' | 'png'; saveFile: SaveFile; renderPng: RenderPng | undefined },
): Promise<string> {
  const { format, saveFile, renderPng } = o
  try {
    if (format === 'svg') return `Saved ${await saveFile(fileName(picture.title, null, 'svg'), picture.svg)}`
    if (renderPng === undefined) return 'There is nothing here that makes PNG: save the picture as SVG.'
    const png = await renderPng(picture.svg)
    const path = await saveFile(
      fileName(picture.title, null, 'png'),
      (async function* () {
        yield png
      })(),
    )
    return `Saved ${path}`
  } catch (error) {
    return `The picture was not saved: ${error instanceof Error ? error.message : 'the file could not be written.'}`
  }
}
