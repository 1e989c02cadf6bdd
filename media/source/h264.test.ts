import { expect, it } from 'vitest'
import { annexB, mergedAvcConfig, parseAvcConfig, parseSequenceSet, pictureSetId, unitTypes } from './h264.ts'

// Of a file that x264 made with `sps-id=3`, High profile, 320 × 180.
const sequence = Buffer.from('6764000c22cd941419f9f011000003000100000300320f142996', 'hex')
const pictureOfSequence = Buffer.from('68212be3cb22c0', 'hex')
const main = Uint8Array.of(0x67, 0x4d, 0x00, 0x0c, 0xa6, 0x0a)
const picture = Uint8Array.of(0x68, 0xce, 0x3c, 0x80)
const record = Buffer.concat([
  Uint8Array.of(1, 0x4d, 0x00, 0x0c, 0xff, 0xe1, 0, main.length),
  main,
  Uint8Array.of(1, 0, picture.length),
  picture,
])

it('reads of a sequence set what joining depends on', () => {
  expect(parseSequenceSet(sequence)).toEqual({
    ...{ id: 3, profileIdc: 100, chromaFormat: 1, bitDepth: 8, isProgressive: true },
  })
  expect(parseSequenceSet(main)).toMatchObject({ id: 0, profileIdc: 77, chromaFormat: 1, bitDepth: 8 })
  expect([picture, pictureOfSequence].map(pictureSetId)).toEqual([0, 3])
})

it('merges the parameter sets of two encodings into one record that reads the same', () => {
  const config = parseAvcConfig(record)
  if (!config) throw new Error('The record is whole.')
  const other = { ...config, sequenceSets: [sequence], pictureSets: [pictureOfSequence] }
  const merged = parseAvcConfig(mergedAvcConfig(config, [other]))
  expect(merged?.sequenceSets.map(set => Buffer.from(set))).toEqual([Buffer.from(main), sequence])
  expect(merged?.pictureSets).toHaveLength(2)
  expect(merged?.header).toEqual(config.header)
})

it.each([[[]], [[1, 2, 3]], [[...record.subarray(0, 12)]], [[0, ...record.subarray(1)]]])(
  'takes no damaged record: %j',
  bytes => {
    expect(parseAvcConfig(Uint8Array.from(bytes))).toBeNull()
  },
)

it('puts start codes in place of lengths, and parameter sets in front of keyframes', () => {
  const config = parseAvcConfig(record)
  if (!config) throw new Error('The record is whole.')
  const packet = Uint8Array.of(0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 0x06)
  expect(unitTypes(packet, 4)).toEqual([5, 6])
  expect([...annexB(packet, config, false)]).toEqual([0, 0, 0, 1, 0x65, 1, 0, 0, 0, 1, 0x06])
  const key = Buffer.from(annexB(packet, config, true))
  expect(key.indexOf(Buffer.from(main))).toBe(4)
  // A length that reaches over the end of the packet is not followed.
  expect(unitTypes(Uint8Array.of(0, 0, 0, 9, 0x65), 4)).toEqual([])
})
