import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { encodePng } from './png.ts'
import { thumbnailPicker } from './thumbnails.ts'

const filled = (level: number) => ({ widthPx: 2, heightPx: 1, rgb: new Uint8Array(6).fill(level) })

describe('a sheet of thumbnails', () => {
  it('takes a picture for each equal part of the file, from the first frame in it', () => {
    const picker = thumbnailPicker(10, 5)
    for (let index = 0; index < 100; index += 1) picker.push(filled(index), index / 10)
    const made = picker.finish()
    expect(made?.sheet).toEqual({ widthPx: 2, heightPx: 1, columns: 5, atSec: [0, 2, 4, 6, 8] })
    expect([...(made?.picture.rgb ?? [])].filter((_, at) => at % 6 === 0)).toEqual([0, 20, 40, 60, 80])
  })

  it('takes fewer where frames are rarer than its parts, and lays them out in rows', () => {
    const picker = thumbnailPicker(130, 26)
    for (let second = 0; second < 130; second += 10) picker.push(filled(second), second)
    const made = picker.finish()
    expect(made?.sheet.atSec).toHaveLength(13)
    expect(made?.picture).toMatchObject({ widthPx: 24, heightPx: 2 })
    expect(made?.picture.rgb[24 * 3]).toBe(120)
    expect(thumbnailPicker(1).finish()).toBeNull()
  })
})

describe('a PNG file', () => {
  it('holds the pixels, each row as its difference to the one above', async () => {
    const rgb = Uint8Array.from([1, 2, 3, 250, 251, 252, 4, 4, 4, 5, 5, 5])
    const png = await encodePng({ widthPx: 2, heightPx: 2, rgb })
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
    expect(png.subarray(8, 33).toString('hex')).toBe(
      '0000000d49484452000000020000000208020000 00fdd49a73'.replace(' ', ''),
    )
    const lines = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)))
    expect([...lines]).toEqual([2, 1, 2, 3, 250, 251, 252, 2, 3, 2, 1, 11, 10, 9])
    expect(png.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082')
  })
})
