import { encode } from 'uqr'
import { sgrRgb } from '../charts/color.ts'

// A QR code in cells. Light modules are drawn and dark ones left out, on a ground of their own: it can be read in every theme,
// and on a dark screen without colours as well.

/** The modules of a code without its margin, row by row; true is dark. */
export type QrModules = readonly (readonly boolean[])[]

export interface DrawnCode {
  /** Each of exactly `width` cells. */
  lines: string[]
  width: number
}

/** Bytes that the largest code holds. */
const bytesMax = 2_953
/** Light modules around the code: four are the standard, one is what cameras still take. */
const margins = [4, 2, 1] as const

/** The smallest code of a text; null when no code holds it. */
export function qrModules(text: string): QrModules | null {
  return Buffer.byteLength(text) > bytesMax ? null : encode(text, { ecc: 'L', boostEcc: true, border: 0 }).data
}

/** The room that a code takes at least, in cells. */
export function qrRoom(modules: QrModules, isAscii: boolean): { columns: number; rows: number } {
  return roomWith(modules, 1, isAscii)
}

/**
 * A code with the widest margin that fits: two modules in a cell, one above the other, or in ASCII one in two cells.
 * @returns null where it does not fit
 */
export function drawQr(
  modules: QrModules,
  room: { columns: number; rows: number },
  { isAscii }: { isAscii: boolean },
): DrawnCode | null {
  const margin = margins.find(each => {
    const { columns, rows } = roomWith(modules, each, isAscii)
    return columns <= room.columns && rows <= room.rows
  })
  if (margin === undefined) return null
  const { columns, rows } = roomWith(modules, margin, isAscii)
  // Beside the code everything is light.
  const isLight = (x: number, y: number) => modules[y - margin]?.[x - margin] !== true
  const cellAt = (x: number, y: number) =>
    isAscii
      ? isLight(Math.floor(x / 2), y)
        ? '#'
        : ' '
      : halves[`${isLight(x, 2 * y) ? 'light' : 'dark'}-${isLight(x, 2 * y + 1) ? 'light' : 'dark'}`]
  const lines = Array.from({ length: rows }, (_, y) =>
    painted(Array.from({ length: columns }, (__, x) => cellAt(x, y)).join('')),
  )
  return { lines, width: columns }
}

const halves = { 'light-light': '█', 'light-dark': '▀', 'dark-light': '▄', 'dark-dark': ' ' } as const

function roomWith(modules: QrModules, margin: number, isAscii: boolean): { columns: number; rows: number } {
  const side = modules.length + 2 * margin
  return isAscii ? { columns: 2 * side, rows: side } : { columns: side, rows: Math.ceil(side / 2) }
}

const [white, onBlack, onWhite] = [sgrRgb(38, 0xffffff), sgrRgb(48, 0x000000), sgrRgb(48, 0xffffff)]

/** Cells that are light as a whole are so to their edges: fonts leave seams between signs, and ASCII's do not fill theirs. */
function painted(text: string): string {
  const cells = text.replace(/[█#]+/g, light => `${onWhite}${light}${onBlack}`)
  return `${white}${onBlack}${cells}\x1b[49m\x1b[39m`
}
