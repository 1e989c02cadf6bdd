import { mix, pick } from './chance.ts'

const subjects = [
  'speedrun',
  'street food',
  'goalkeeper',
  'kitten',
  'drum cover',
  'rally car',
  'sourdough',
  'chess',
] as const
const turns = [
  'goes wrong',
  'in one take',
  'nobody expected',
  'at 3 am',
  'explained',
  'for beginners',
  'again',
] as const
const openings = ['Watch this', 'POV:', 'How I', 'When', 'The last', 'Finally:', 'Why'] as const
const tagWords = ['fyp', 'viral', 'gaming', 'cooking', 'football', 'music', 'cats', 'cars', 'diy', 'live'] as const
const firstNames = ['Nova', 'Milo', 'Aiko', 'Zuri', 'Bruno', 'Lena', 'Omar', 'Yara', 'Finn', 'Tala'] as const
const lastNames = ['Clips', 'Plays', 'Kitchen', 'Beats', 'Motors', 'Lab', 'Studio', 'Outdoors'] as const

/** What a platform may send and a program must bear: no escape may reach a terminal, no length may break a store. */
export const hostileTitles = [
  'Clear your screen \u001b[2J\u001b[H\u001b[31mnow',
  'Title bar \u001b]0;owned\u0007 and clipboard \u001b]52;c;cm0gLXJmIH4=\u001b\\',
  'C1 \u009b2J \u009d0;owned\u009c and a bell \u0007',
  'Device control \u001bPq#0;2;0;0;0\u001b\\ \u001b[c\u001b[6n',
  'One\r\nTwo\u2028Three\u0085Four\u000bFive',
  'Family 👨‍👩‍👧‍👦 flags 🏴󠁧󠁢󠁳󠁣󠁴󠁿🇯🇵 skin 👍🏽 heart ❤️‍🔥',
  'مرحبا بالعالم שלום עולם',
  'Reversed \u202egpj.exe\u202c and isolated \u2066abc',
  'Z̸̢̛a̵l̷g̶o̴ ḧ̴́̈ë̷́̈ c̸̛̛o̵m̸e̷s',
  '<script>alert("x")</script> & \'quotes\' &amp; =HYPERLINK("http://x","y")',
  '日本語のとても長いタイトル、全角文字ばかり！',
  `${'Long '.repeat(2000).trim()}!`.padEnd(10_000, '!'),
  '{{7*7}} %s %n \\u001b[2J \\x9b',
  'null',
] as const

export function titleOf(isHostile: boolean, ...place: readonly number[]): string {
  if (isHostile) return hostileTitles[(place.at(-1) ?? 0) % hostileTitles.length] ?? ''
  return `${pick(openings, ...place, 1)} ${pick(subjects, ...place, 2)} ${pick(turns, ...place, 3)}`
}

export function tagsOf(...place: readonly number[]): string[] {
  const count = mix(...place, 4) % 4
  return [...new Set(Array.from({ length: count }, (_, at) => pick(tagWords, ...place, 5, at)))]
}

export function nameOf(...place: readonly number[]): string {
  return `${pick(firstNames, ...place, 6)} ${pick(lastNames, ...place, 7)}`
}
