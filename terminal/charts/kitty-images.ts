import { deflateSync } from 'node:zlib'
import type { Picture } from '../net/picture-client.ts'
import { sgrRgb } from './color.ts'

// Pictures as images of the terminal: kitty's graphics protocol with Unicode placeholders (kitty from 0.28, ghostty). An image
// is sent once, under a number. Where it is shown, the screen holds cells of a character for private use whose colour is that
// number; marks on the first cell of a line say which row and column of the image it is, the others follow from it. So images
// are text: they go where lines go, and whatever is written over the cells takes them away.

const esc = '\u001b'
const placeholder = '\u{10eeee}'
const placed = new RegExp(`${esc}\\[38;2;(\\d+);(\\d+);(\\d+)m${placeholder}`, 'gu')
/** The marks of rows and columns, from 0 on: the beginning of kitty's `rowcolumn-diacritics.txt`. */
const marks = [
  ...'\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357',
  ...'\u035b\u0363\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036c\u036d\u036e\u036f\u0483\u0484',
  ...'\u0485\u0486\u0487\u0592\u0593\u0594\u0595\u0597\u0598\u0599\u059c\u059d\u059e\u059f\u05a0\u05a1',
  ...'\u05a8\u05a9\u05ab\u05ac\u05af\u05c4\u0610\u0611\u0612\u0613\u0614\u0615\u0616\u0617\u0657\u0658',
]
/** Longest piece of an image in one sequence. */
const pieceLength = 4096

/** Room for a picture, in cells. */
interface Room {
  width: number
  height: number
}

/** Pictures by number, for as long as somebody holds them. */
const pictures = new Map<number, Room & { picture: WeakRef<Picture> }>()
const numbers = new WeakMap<Picture, Map<string, number>>()
const forgotten = new FinalizationRegistry<number>(number => pictures.delete(number))
let lastNumber = 0

/** The lines that show a picture as an image; null where it is higher than there are marks. */
export function imageLines(picture: Picture, room: Room): readonly string[] | null {
  if (room.height > marks.length) return null
  const color = sgrRgb(38, numberOf(picture, room))
  const others = placeholder.repeat(Math.max(0, room.width - 1))
  return Array.from(
    { length: room.height },
    (_, y) => `${color}${placeholder}${marks[y] ?? ''}${marks[0] ?? ''}${others}${esc}[39m`,
  )
}

/** The numbers of the images that a line shows. */
export function imagesIn(line: string): readonly number[] {
  if (!line.includes(placeholder)) return []
  return [...line.matchAll(placed)].map(
    ([, red, green, blue]) => (Number(red) << 16) | (Number(green) << 8) | Number(blue),
  )
}

/** Whether a part of a line without colours is the cells of an image, which every terminal that gets them agrees on. */
export function isImage(part: string): boolean {
  return part.startsWith(placeholder)
}

/** What sends an image to a terminal, without an answer; nothing for a picture that nobody holds any more. */
export function sendImage(number: number): string {
  const { picture, width, height } = pictures.get(number) ?? {}
  const shown = picture?.deref()
  if (shown === undefined) return ''
  const text = deflateSync(shown.rgb, { level: 1 }).toString('base64')
  const head = `a=T,U=1,q=2,i=${number},f=24,o=z,s=${shown.widthPx},v=${shown.heightPx},c=${width},r=${height}`
  let sent = ''
  for (let at = 0; at < text.length; at += pieceLength) {
    const isLast = at + pieceLength >= text.length
    const keys = [...(at === 0 ? [head] : ['q=2']), `m=${isLast ? 0 : 1}`].join(',')
    sent += `${esc}_G${keys};${text.slice(at, at + pieceLength)}${esc}\\`
  }
  return sent
}

/** What frees an image in a terminal, wherever it is shown. */
export function deleteImage(number: number): string {
  return `${esc}_Ga=d,d=I,q=2,i=${number}${esc}\\`
}

/** Asks a terminal for its name and version (XTVERSION). */
export const askVersion = `${esc}[>0q`

/** Whether an answer to `askVersion` names a terminal that shows images by placeholders. */
export function showsImages(reply: string): boolean {
  const [, name, major, minor] = /^.P>\|(kitty|ghostty)[ (](\d+)\.(\d+)/s.exec(reply) ?? []
  return name === 'ghostty' || (name === 'kitty' && (Number(major) > 0 || Number(minor) >= 28))
}

/** Numbers are colours: 24 bits. */
function numberOf(picture: Picture, { width, height }: Room): number {
  const known = numbers.get(picture) ?? new Map<string, number>()
  const size = `${width}x${height}`
  const given = known.get(size)
  if (given !== undefined) return given
  lastNumber = (lastNumber % 0xffffff) + 1
  numbers.set(picture, known.set(size, lastNumber))
  pictures.set(lastNumber, { picture: new WeakRef(picture), width, height })
  forgotten.register(picture, lastNumber)
  return lastNumber
}
