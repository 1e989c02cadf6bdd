import upstream from 'string-width-upstream'
import { expect, test } from 'vitest'
import fast from './index.js'

const probes = [
  '',
  'plain ascii line of text that is long enough to matter 12345',
  '\x1b[38;2;255;170;0m  1 CLP013 \x1b[39mDANCE 猫 BOSS        ▲  13.1% ▂▄▅▇▁█▇▇█▄…',
  '⣀⠤⠔⠒⠒⠢⠤⡀ ⡇⠓⠒⠒⠒⠒⠒⠒⠒',
  '🎬 clip 👨‍👩‍👧 family 🇪🇺',
  'e\u0301 combining, 猫\u0301, ─\u0301',
  '한국어 日本語 ｱｲｳ カタカナ ひらがな',
  '▀▀▀▀▀▀ ● ○ • · – — →',
  'ﾊﾟ half kana, が',
  '☂️ vs ☂, ▲️, ©️ ® ™',
  '✅ ok ⚠️ warn',
  '┌──┐│',
  'tab\tx',
  'a\u200db, soft\u00adhyphen',
  'two\nlines\r\nand more',
  '\x1b]8;;https://example.com\x07link\x1b]8;;\x07',
  'हिन्दी ไทย العربية עברית',
  '\x1b[1;7m inverse \x1b[0m',
  '\u0000\u0007\u007f\u0085',
]

test.each(probes)('agrees with string-width on %j', probe => {
  expect(fast(probe)).toBe(upstream(probe))
})

test('agrees with string-width on every single character of the basic plane', () => {
  const differing: string[] = []
  for (let code = 0; code < 0x10000; code++) {
    const text = `a${String.fromCharCode(code)}`
    if (fast(text) !== upstream(text)) differing.push(code.toString(16))
  }
  expect(differing).toEqual([])
})

test('passes the options of string-width on', () => {
  const options = { ambiguousIsNarrow: false }
  expect(fast('±─', options)).toBe(upstream('±─', options))
  expect(fast('\x1b[1mx', { countAnsiEscapeCodes: true })).toBe(upstream('\x1b[1mx', { countAnsiEscapeCodes: true }))
})
