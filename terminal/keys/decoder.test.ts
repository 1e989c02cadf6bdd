import { expect, test } from 'vitest'
import { type InputEvent, KeyDecoder } from './decoder.ts'

/** Feeds chunks and lets the escape timer fire at the end, or after every chunk. */
function decode(chunks: readonly (string | Uint8Array)[], isSlow = false): string {
  const events: InputEvent[] = []
  let due: (() => void) | null = null
  const decoder = new KeyDecoder(
    event => events.push(event),
    (_ms, run) => {
      due = run
      return () => {
        due = null
      }
    },
  )
  const fire = () => {
    const run = due
    due = null
    run?.()
  }
  for (const chunk of chunks) {
    decoder.push(chunk)
    if (isSlow) fire()
  }
  fire()
  return events.map(show).join(' ')
}

function show(event: InputEvent): string {
  if (event.type === 'key') return event.key
  if (event.type === 'pointer') return `${event.kind}${event.button}@${event.x},${event.y}`
  if (event.type === 'paste') return `paste:${JSON.stringify(event.text)}`
  return event.type === 'focus' ? `focus:${event.hasFocus}` : 'reply'
}

const cases: [string | string[], string][] = [
  ['q\r', 'q enter'],
  ['jjj', 'j j j'],
  ['abc\r', 'a b c enter'],
  [' ', 'space'],
  ['\n', 'C-j'],
  ['\x1b', 'escape'],
  ['\x1bq', 'M-q'],
  ['\x1b ', 'M-space'],
  ['\x1b1', 'M-1'],
  ['\x1b\x7f', 'M-backspace'],
  ['\x1bOP', 'f1'],
  ['\x1bOQ', 'f2'],
  ['\x1bOA', 'up'],
  ['\x1b[15~', 'f5'],
  ['\x1b[21~', 'f10'],
  ['\x1b[24~', 'f12'],
  ['\x1b[1;2Q', 'S-f2'],
  ['\x1b[2~', 'insert'],
  ['\x1b[3~', 'delete'],
  ['\t', 'tab'],
  ['\x1b[Z', 'S-tab'],
  ['\x10', 'C-p'],
  ['\x03', 'C-c'],
  ['\x00', 'C-space'],
  ['\x1b[1;5C', 'C-right'],
  ['\x1b[1;6D', 'C-S-left'],
  ['\x1b[H', 'home'],
  ['\x1b[F', 'end'],
  ['\x1b[6~', 'pagedown'],
  ['\x1b[5;5~', 'C-pageup'],
  ['\x7f', 'backspace'],
  ['\x08', 'backspace'],
  ['\x1b[<0;10;5M', 'press0@9,4'],
  ['\x1b[<0;10;5m', 'release0@9,4'],
  ['\x1b[<32;11;5M', 'move0@10,4'],
  ['\x1b[<64;10;5M', 'wheelUp0@9,4'],
  ['\x1b[<65;10;5M', 'wheelDown1@9,4'],
  ['\x1b[M !!', 'press0@0,0'],
  ['\x1b[M#!!', 'release3@0,0'],
  ['\x1b[I', 'focus:true'],
  ['\x1b[O', 'focus:false'],
  ['\x1b[200~hello\nw\x1b[201~x', 'paste:"hello\\nw" x'],
  [['\x1b[200~he', 'llo\x1b[20', '1~'], 'paste:"hello"'],
  ['\x1b[200~\x1b[A\x03\x1b[201~', 'paste:"\\u001b[A\\u0003"'],
  ['🎬', '🎬'],
  ['猫', '猫'],
  ['\x1b[57364u', 'f1'],
  ['\x1b[105;5u', 'C-i'],
  ['\x1b[13;2u', 'S-enter'],
  ['\x1b[97;2u', 'A'],
  ['\x1b[97;1:3u', ''],
  ['\x1b[27;5;105~', 'C-i'],
  ['\x1b[99999999u', ''],
  ['\x1b[?62;22c', 'reply'],
  ['\x1b[?2026;2$y', 'reply'],
  ['\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\', 'reply'],
  ['\x1b]11;rgb:1e1e/1e1e/1e1e\x07', 'reply'],
  ['\x1bP>|kitty(0.32)\x1b\\', 'reply'],
  [['\x1b]11;rgb:', '1e1e/1e1e', '/1e1e\x1b', '\\q'], 'reply q'],
  [['\x1b[', 'A'], 'up'],
  [['\x1b', '[A'], 'up'],
  [['\x1b[1', ';5', 'D'], 'C-left'],
  [['\x1b[<0;1', '0;5M'], 'press0@9,4'],
  ['\x1b[A\x1b[B', 'up down'],
  ['a\x1b[Ab\r', 'a up b enter'],
  ['\x1b\x1b', 'escape escape'],
  ['\x1b\x1b[A', 'escape up'],
  ['\x1b[', 'M-['],
  ['\x1b]', 'M-]'],
  ['\u009b', ''],
]

test.each(cases)('decodes %j as %s', (input, expected) => {
  expect(decode(typeof input === 'string' ? [input] : input)).toBe(expected)
})

test('puts a character together whose bytes come apart', () => {
  const bytes = Buffer.from('猫🎬')
  expect(decode([...bytes].map(byte => Uint8Array.of(byte)))).toBe('猫 🎬')
})

test('gives the same events however the input is cut', () => {
  const input = 'a\x1b[A\x1b[<0;10;5M\x1b[200~x\x1b[201~\x1bOP猫\x1b[1;5Cq\r'
  const whole = decode([input])
  for (let cut = 1; cut < input.length; cut++) expect(decode([input.slice(0, cut), input.slice(cut)])).toBe(whole)
})

test('takes a lone escape for the Escape key when nothing follows in time', () => {
  expect(decode(['\x1b', 'j'], true)).toBe('escape j')
})

test('keeps a paste together however long its pieces take, and bounds it', () => {
  expect(decode(['\x1b[200~one', ' two\x1b', '[201~'], true)).toBe('paste:"one two"')
  const long = decode([`\x1b[200~${'x'.repeat(200_000)}`, 'y\x1b[201~q'])
  expect(long.length).toBeLessThan(100_020)
  expect(long.endsWith('" q')).toBe(true)
})

test('says what a key types, and nothing for keys that type nothing', () => {
  const texts: (string | null)[] = []
  const decoder = new KeyDecoder(
    event => {
      if (event.type === 'key') texts.push(event.text)
    },
    () => () => {},
  )
  decoder.push('a \r\x1bb\x01é\x1b[97;2u')
  expect(texts).toEqual(['a', ' ', null, null, null, 'é', 'A'])
})
