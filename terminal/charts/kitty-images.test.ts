import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { cellWidth } from '../text/width.ts'
import { deleteImage, imageLines, imagesIn, sendImage, showsImages } from './kitty-images.ts'

const picture = (widthPx: number, heightPx: number) => ({
  atSec: 0,
  widthPx,
  heightPx,
  rgb: Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, i) => Math.imul(i * i, 2654435761) >>> 24),
})

test('a picture is lines of as many cells, each of which says its image and its row', () => {
  const shown = picture(8, 4)
  const lines = imageLines(shown, { width: 4, height: 2 }) ?? []
  expect(lines.map(cellWidth)).toEqual([4, 4])
  expect(lines.map(line => line.replace(/\S*?m/, '').replace(/\S\[39m/, ''))).toEqual([
    '\u{10eeee}\u0305\u0305\u{10eeee}\u{10eeee}\u{10eeee}',
    '\u{10eeee}\u030d\u0305\u{10eeee}\u{10eeee}\u{10eeee}',
  ])
  const [first = 0] = imagesIn(lines[0] ?? '')
  expect(imagesIn(lines.join(' '))).toEqual([first, first])
  expect(imageLines(shown, { width: 4, height: 2 })).toEqual(lines)
  const [other] = imagesIn(imageLines(shown, { width: 8, height: 2 })?.[0] ?? '')
  expect(other).not.toBe(first)
  expect(imageLines(shown, { width: 4, height: 65 })).toBeNull()
})

test('an image is sent in pieces, packed, for its cells, and wants no answer', () => {
  const shown = picture(100, 60)
  const [number = 0] = imagesIn(imageLines(shown, { width: 20, height: 6 })?.[0] ?? '')
  const pieces = sendImage(number).split('\u001b\\').slice(0, -1)
  expect(pieces.length).toBeGreaterThan(1)
  const parts = pieces.map(piece => /^._G([^;]*);(.*)$/s.exec(piece)?.slice(1) ?? [])
  expect(parts.map(([keys]) => keys)).toEqual([
    `a=T,U=1,q=2,i=${number},f=24,o=z,s=100,v=60,c=20,r=6,m=1`,
    ...Array.from({ length: pieces.length - 2 }, () => 'q=2,m=1'),
    'q=2,m=0',
  ])
  expect(Math.max(...parts.map(([, data = '']) => data.length))).toBe(4096)
  const packed = Buffer.from(parts.map(([, data]) => data).join(''), 'base64')
  expect(new Uint8Array(inflateSync(packed))).toEqual(shown.rgb)
  expect(deleteImage(number)).toBe(`\u001b_Ga=d,d=I,q=2,i=${number}\u001b\\`)
  expect(sendImage(0)).toBe('')
})

test.each([
  ['\u001bP>|kitty(0.28.0)\u001b\\', true],
  ['\u001bP>|kitty(0.26.5)\u001b\\', false],
  ['\u001bP>|kitty(1.0.0)\u001b\\', true],
  ['\u001bP>|ghostty 1.1.3\u001b\\', true],
  ['\u001bP>|WezTerm 20240203\u001b\\', false],
  ['\u001bP>|tmux 3.3a\u001b\\', false],
  ['\u001b[?62;4c', false],
])('an answer of %j says whether images are shown', (reply, isShown) => {
  expect(showsImages(reply)).toBe(isShown)
})
