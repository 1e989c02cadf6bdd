import { promisify } from 'node:util'
import { crc32, deflate } from 'node:zlib'
import type { Picture } from '../picture.ts'

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const compress = promisify(deflate)
/** Filter 2 of the standard: each byte less the one above it, which suits photographs better than none. */
const filterUp = 2

/** A picture as a PNG file (ISO 15948): 8 bits a channel, RGB. */
export async function encodePng({ widthPx, heightPx, rgb }: Picture): Promise<Buffer> {
  const rowBytes = widthPx * 3
  const lines = Buffer.alloc(heightPx * (rowBytes + 1))
  for (let y = 0; y < heightPx; y += 1) {
    const at = y * (rowBytes + 1)
    lines[at] = filterUp
    for (let x = 0; x < rowBytes; x += 1) {
      const above = y === 0 ? 0 : (rgb[(y - 1) * rowBytes + x] ?? 0)
      lines[at + 1 + x] = (rgb[y * rowBytes + x] ?? 0) - above
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(widthPx, 0)
  head.writeUInt32BE(heightPx, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const body = await compress(lines, { level: 6 })
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', body), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const framed = Buffer.alloc(named.length + 8)
  framed.writeUInt32BE(body.length, 0)
  framed.set(named, 4)
  framed.writeUInt32BE(crc32(named), named.length + 4)
  return framed
}
