import { expect, test } from 'vitest'
import { clean, cleanDeep } from './clean.ts'

const cases: [string, string][] = [
  ['plain text stays', 'plain text stays'],
  ['\x1b[31mred\x1b[0m', 'red'],
  ['\x1b[2J\x1b[1;1Hcleared', 'cleared'],
  ['\x9b31mone byte', 'one byte'],
  ['\x1b]0;title\x07text', 'text'],
  ['\x1b]52;c;aGk=\x1b\\clipboard', 'clipboard'],
  ['\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\', 'link'],
  ['\x1bP1$qm\x1b\\dcs', 'dcs'],
  ['\x1bcreset', 'reset'],
  ['\x1b]never ends', ''],
  ['bell\x07 back\x08 nul\x00', 'bell back nul'],
  ['two\nlines\r\nand\ttab', 'two lines and tab'],
  ['  many   spaces ', ' many spaces '],
  ['right\u202eto left\u202c', 'rightto left'],
  ['\u2066isolate\u2069', 'isolate'],
  ['zero\u200bwidth\u200djoin\ufeff', 'zerowidthjoin'],
  ['soft\u00adhyphen', 'softhyphen'],
  ['private \ue000 use \u{f0000}', 'private use '],
  ['half \ud83d pair', 'half pair'],
  ['thumbs 👍🏽 up', 'thumbs 👍 up'],
  ['family 👨‍👩‍👧', 'family 👨👩👧'],
  ['sun ☀️', 'sun ☀'],
  ['e\u0301', 'é'],
  [`z${'\u0336'.repeat(40)}algo`, `z${'\u0336'.repeat(3)}algo`],
  ['猫の動画 한국 हिन्दी', '猫の動画 한국 हिन्दी'],
]

test.each(cases)('cleans %j', (text, expected) => {
  expect(clean(text)).toBe(expected)
})

test('leaves nothing that could control a terminal, whatever comes in', () => {
  let seed = 7
  const next = () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed
  }
  const parts = ['\x1b', '[', ']', 'P', '\x07', '\x9b', '\\', ';', '31m', 'a', '\u202e', '\n', '\x9d', '\x00', '猫']
  for (let i = 0; i < 3000; i++) {
    const text = Array.from({ length: 12 }, () => parts[next() % parts.length]).join('')
    expect(clean(text)).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u)
  }
})

test('cleans strings inside rows and leaves everything else', () => {
  const row = { key: 'a', title: 'x\x1b[1my', count: 3, none: null, list: ['\x07z', 1], nested: { text: '\x00' } }
  expect(cleanDeep(row)).toEqual({ key: 'a', title: 'xy', count: 3, none: null, list: ['z', 1], nested: { text: '' } })
})
