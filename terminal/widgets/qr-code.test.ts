import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { readQr } from '../../test/read-qr.ts'
import { drawQr, qrModules, qrRoom } from './qr-code.ts'

const address = 'https://tape.example/link?t=abcdefghijklmnopqrstuv'

test.each([false, true])('draws a code that a camera reads, as tight as it may be (in ASCII: %s)', isAscii => {
  const modules = qrModules(address)
  if (modules === null) throw new Error('The address fits into a code.')
  const room = qrRoom(modules, isAscii)
  for (const more of [0, 8]) {
    const code = drawQr(modules, { columns: room.columns + 2 * more, rows: room.rows + more }, { isAscii })
    const lines = code?.lines.map(stripVTControlCharacters) ?? []
    expect(new Set(lines.map(line => line.length))).toEqual(new Set([code?.width]))
    expect(readQr(lines)).toBe(address)
  }
  expect(drawQr(modules, { ...room, rows: room.rows - 1 }, { isAscii })).toBeNull()
})

test('has no code for a text that none holds', () => {
  expect(qrModules('x'.repeat(3_000))).toBeNull()
})
