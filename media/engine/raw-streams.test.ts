import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { FramePairs, readFrames, readSamples, readWords } from './raw-streams.ts'

const bytes = Uint8Array.from({ length: 23 }, (_, index) => index)
/** The same bytes in pieces that end anywhere. */
const inPieces = (...sizes: number[]): Readable => {
  let at = 0
  return Readable.from(
    sizes.map(size => {
      at += size
      return Buffer.from(bytes.subarray(at - size, at))
    }),
  )
}

it('cuts pictures at their size, wherever the pipe broke them, and drops an unfinished one', async () => {
  for (const sizes of [[23], [1, 5, 1, 1, 15], [6, 6, 11]]) {
    const frames: number[][] = []
    await readFrames(inPieces(...sizes), { widthPx: 2, heightPx: 1, pixels: 'rgb24' }, async frame => {
      frames.push([...frame])
    })
    expect(frames).toEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10, 11],
      [12, 13, 14, 15, 16, 17],
    ])
  }
})

it('cuts sound at whole samples, lower byte first', async () => {
  const samples: number[] = []
  await readSamples(inPieces(3, 1, 0, 4, 1), async part => void samples.push(...part))
  expect(samples).toEqual([0x0100, 0x0302, 0x0504, 0x0706])
  expect([...(await readWords(inPieces(3, 6)))]).toEqual([0x03020100, 0x07060504])
})

it('gives the n-th picture the n-th time, whichever came first, and none when there are no more', async () => {
  const pairs = new FramePairs(false)
  const first = pairs.next(Uint8Array.of(1))
  pairs.takeTime(0.5)
  pairs.takeTime(1)
  expect(await first).toEqual({ atSec: 0.5, pixels: Uint8Array.of(1) })
  expect(await pairs.next(Uint8Array.of(2))).toEqual({ atSec: 1, pixels: Uint8Array.of(2) })
  const last = pairs.next(Uint8Array.of(3))
  pairs.takeTime(null)
  expect(await last).toEqual({ atSec: null, pixels: Uint8Array.of(3) })
})
