import { AppError } from '../contracts/errors.ts'

/**
 * A PNG of an SVG, in the size of its pixels, with the fonts of this machine.
 * @throws AppError NOT_CONFIGURED where the optional package that draws it is not installed
 */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await loadResvg()
  const font = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans Mono', monospaceFamily: 'DejaVu Sans Mono' }
  return new Resvg(svg, { font }).render().asPng()
}

async function loadResvg(): Promise<typeof import('@resvg/resvg-js')> {
  try {
    return await import('@resvg/resvg-js')
  } catch (cause) {
    throw new AppError(
      'NOT_CONFIGURED',
      'PNG is drawn by the optional package @resvg/resvg-js, which is not installed here: save an SVG instead.',
      { cause },
    )
  }
}
