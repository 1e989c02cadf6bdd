import { describe, expect, it } from 'vitest'
import { platforms } from '../../contracts/ids.ts'
import { SeriesParamsSchema, TrendsParamsSchema, trendTypes } from '../../contracts/measures.ts'
import { functionSpecs } from './functions.ts'
import { type CommandContext, parseCommand } from './grammar.ts'
import { formatSubject, parseSubject, parseSubjects, type Subject } from './subject.ts'

const nothing: CommandContext = { focusedSubject: null }
const clip: Subject = { type: 'clip', id: 'youtube:dQw4w9WgXcQ' }

function parsed(text: string, ctx = nothing) {
  const result = parseCommand(text, ctx)
  return result.ok ? result.command : `${result.at}: ${result.message}`
}

describe('parseCommand', () => {
  it('reads arguments by value, in any order and case', () => {
    const wanted = { fn: 'TOP', subject: null, args: { type: 'clips', period: '24h', platform: 'youtube' } }
    expect(parsed('TOP CLIPS 24H YT')).toEqual(wanted)
    expect(parsed('  top yt 24h clip ')).toEqual(wanted)
  })

  it('reads open arguments by name', () => {
    expect(parsed('TOP NICHE=brain-rot country=us LIMIT=10')).toEqual({
      fn: 'TOP',
      subject: null,
      args: { niche: 'brain-rot', country: 'US', limit: '10' },
    })
  })

  it('puts the subject before the function', () => {
    expect(parsed('@mrbeast DES')).toEqual({ fn: 'DES', subject: { type: 'search', text: '@mrbeast' }, args: {} })
    expect(parsed('youtube:dQw4w9WgXcQ GP VIEWS 7D')).toEqual({
      fn: 'GP',
      subject: clip,
      args: { metric: 'views', period: '7d' },
    })
    expect(parsed('#Minecraft GP')).toEqual({ fn: 'GP', subject: { type: 'topic', id: 'minecraft' }, args: {} })
    expect(parsed('mr beast DES')).toEqual({ fn: 'DES', subject: { type: 'search', text: 'mr beast' }, args: {} })
  })

  it('takes a subject behind a function that needs one, where none stands before it', () => {
    expect(parsed('VOD @mrbeast')).toEqual(parsed('@mrbeast VOD'))
    expect(parsed('GP #minecraft 7d')).toEqual(parsed('#minecraft GP 7d'))
    expect(parsed('GP @a @b')).toEqual(parsed('@a @b GP'))
  })

  it('takes a subject with the name of a function when it is quoted', () => {
    expect(parsed('"top gun" DES')).toEqual({ fn: 'DES', subject: { type: 'search', text: 'top gun' }, args: {} })
  })

  it('takes a name that begins like a function without a subject of its own', () => {
    expect(parsed('bill gates DES')).toEqual({ fn: 'DES', subject: { type: 'search', text: 'bill gates' }, args: {} })
    expect(parsed('bill gates GP VIEWS')).toMatchObject({ fn: 'GP', subject: { text: 'bill gates' } })
    expect(parsed('BILL LEDGER')).toEqual({ fn: 'BILL', subject: null, args: { view: 'ledger' } })
  })

  it('falls back on the subject that has the focus', () => {
    expect(parsed('GP GAIN', { focusedSubject: clip })).toEqual({ fn: 'GP', subject: clip, args: { metric: 'gain' } })
    expect(parsed('GP')).toBe("0: GP needs a subject before it: @creator, #topic, a clip's id, or a selected row.")
  })

  it('describes a subject that stands alone and compares several', () => {
    expect(parsed('@mrbeast')).toEqual({ fn: 'DES', subject: { type: 'search', text: '@mrbeast' }, args: {} })
    expect(parsed('#a #b')).toEqual({ fn: 'GP', subject: { type: 'topic', id: 'a' }, args: { vs: '#b' } })
  })

  it('reads a span first as the period, then as the bucket', () => {
    expect(parsed('#a GP 7D 1H')).toMatchObject({ args: { period: '7d', bucket: '1h' } })
    expect(parsed('#a GP BUCKET=1H')).toMatchObject({ args: { bucket: '1h' } })
  })

  it('compares up to four subjects, before the function or after VS', () => {
    const args = { vs: '@b "youtube:name:Some One" #d' }
    expect(parsed('@a @b "youtube:name:Some One" #d GP')).toMatchObject({ args })
    expect(parsed('@a GP VS @b "youtube:name:Some One" #d')).toMatchObject({ args })
    expect(parsed('@a @b @c @d @e GP')).toBe('12: At most 4 subjects can be compared.')
    expect(parsed('@a @b DES')).toBe('0: DES takes one subject; GP compares several.')
    expect(parseSubjects(args.vs)).toEqual([
      { type: 'search', text: '@b' },
      { type: 'creator', id: 'youtube:name:Some One' },
      { type: 'topic', id: 'd' },
    ])
  })

  it('makes a filter of a subject before a ranking', () => {
    expect(parsed('#minecraft TOP 7D')).toEqual({
      fn: 'TOP',
      subject: null,
      args: { topic: 'minecraft', period: '7d' },
    })
    expect(parsed('@mrbeast TOP')).toMatch(/^0: TOP is filtered by/)
  })

  it('takes arguments that fit TOP alone as a TOP', () => {
    expect(parsed('TT 24H')).toEqual({ fn: 'TOP', subject: null, args: { platform: 'tiktok', period: '24h' } })
  })

  it('ignores a leading colon and keeps positions true', () => {
    expect(parsed(':color 8')).toEqual({ fn: 'COLOR', subject: null, args: { depth: '8' } })
    expect(parsed(': TOPP')).toBe('2: There is no function TOPP; HELP lists them. Did you mean TOP?')
  })

  it('reads days and instants as UTC', () => {
    expect(parsed('TOP FROM=2017-11-14 TO=2017-11-15T06:30')).toMatchObject({
      args: { from: '2017-11-14T00:00:00.000Z', to: '2017-11-15T06:30:00.000Z' },
    })
  })

  it.each([
    ['', '0: Type a function, for example TOP; HELP lists them.'],
    ['FOOBAR', '0: There is no function FOOBAR; HELP lists them.'],
    ['@a FOOBAR', '3: There is no function FOOBAR; HELP lists them.'],
    ['HLEP', '0: There is no function HLEP; HELP lists them. Did you mean HELP?'],
    ['TOP CLISP', '4: TOP does not know CLISP; HELP TOP shows what it takes. Did you mean CLIPS?'],
    ['TOP 24H 7D', '8: PERIOD is given twice.'],
    ['TOP TYPE=clips CREATORS', '15: TYPE is given twice.'],
    ['TOP NICHE=a NICHE=b', '12: NICHE is given twice.'],
    ['TOP LIMIT=0', '4: LIMIT must be like 50.'],
    ['TOP LIMIT=501', '4: LIMIT must be like 50.'],
    ['TOP PERIOD=2H', '4: PERIOD must be one of 1H 6H 24H 7D 30D.'],
    ['TOP FROM=2017-11-14', '4: FROM and TO come together.'],
    ['TOP 24H FROM=2017-11-14 TO=2017-11-15', '4: Use either a period or FROM and TO, not both.'],
    ['TOP FROM=2017-11-15 TO=2017-11-14', '4: TO must lie after FROM.'],
    ['TOP FROM=2017-13-45 TO=2017-11-14', '4: FROM must be like 2017-11-14.'],
    ['OPS NOW', '4: OPS takes no arguments, so it cannot use NOW.'],
    ['@a IDX', '0: IDX takes no subject before it.'],
    ['#a GP VS', '6: VS needs subjects after it, for example VS @mrbeast.'],
    ['x'.repeat(1001), '1000: A command has at most 1000 characters.'],
  ])('refuses %s with a sentence and a place', (text, wanted) => {
    expect(parsed(text)).toBe(wanted)
  })

  it('answers hostile input without throwing, and points inside the text', () => {
    const alphabet = [
      '"',
      '@',
      '#',
      ':',
      '=',
      ' ',
      '\u0000',
      '\u001b[2J',
      '\u202e',
      'TOP',
      'GP',
      'VS',
      'é',
      '🎬',
      '\ud800',
      '__proto__',
      'constructor',
      '=1',
      'NICHE=',
      'https://',
      '%ff',
      '-1',
      '1e309',
    ]
    let seed = 7
    for (let round = 0; round < 3000; round++) {
      let text = ''
      for (let i = 0; i < round % 12; i++) {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
        text += alphabet[seed % alphabet.length]
      }
      const result = parseCommand(text, nothing)
      if (!result.ok) {
        expect(result.message).toMatch(/^[^\p{Cc}]+[.?]$/u)
        expect(result.at).toBeLessThanOrEqual(text.length)
      }
    }
  })

  it('keeps names of objects out of the arguments', () => {
    expect(parsed('TOP __proto__=x')).toMatch(/^4: TOP does not know/)
    expect(parsed('constructor')).toMatch(/^0: There is no function CONSTRUCTOR/)
  })
})

describe('the function table', () => {
  it('gives no name or alias twice', () => {
    const names = functionSpecs.flatMap(spec => [spec.name, ...spec.aliases])
    expect(new Set(names).size).toBe(names.length)
  })

  it('has only examples that parse to their own function', () => {
    for (const spec of functionSpecs)
      for (const example of spec.examples) expect(parsed(example)).toMatchObject({ fn: spec.name })
  })

  it('makes arguments that the contract accepts', () => {
    for (const type of trendTypes)
      for (const platform of platforms) {
        const command = parsed(`TOP ${type} ${platform} 7d acc niche=gaming country=de limit=5`)
        expect(TrendsParamsSchema.safeParse(typeof command === 'string' ? null : command.args).success).toBe(true)
      }
    const chart = parsed('#a GP followers 30d 1d tt')
    const args = typeof chart === 'string' ? {} : chart.args
    expect(SeriesParamsSchema.safeParse({ type: 'topics', id: 'a', ...args }).success).toBe(true)
  })
})

describe('parseSubject', () => {
  it.each([
    ['https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3', clip],
    ['https://youtu.be/dQw4w9WgXcQ', clip],
    ['https://m.youtube.com/shorts/dQw4w9WgXcQ', clip],
    ['yt:dQw4w9WgXcQ', clip],
    ['https://www.youtube.com/@MrBeast', { type: 'search', text: '@MrBeast' }],
    ['https://www.tiktok.com/@khaby/video/123', { type: 'clip', id: 'tiktok:123' }],
    ['https://www.instagram.com/reel/Cxyz/', { type: 'clip', id: 'instagram:Cxyz' }],
    ['youtube:UCX6OQ3DkcsbYNE6H8uQQuVA', { type: 'creator', id: 'youtube:UCX6OQ3DkcsbYNE6H8uQQuVA' }],
    ['@tiktok:khaby', { type: 'creator', id: 'tiktok:khaby' }],
    ['##ASMR', { type: 'topic', id: 'asmr' }],
    ['#', null],
    ['@', null],
    ['vimeo:123', null],
    ['https://example.com/', null],
    ['https://[', null],
    ['plain', null],
  ])('reads %s', (text, wanted) => {
    expect(parseSubject(text)).toEqual(wanted)
  })

  it('reads back every subject that it formats', () => {
    const subjects: Subject[] = [
      clip,
      { type: 'creator', id: 'tiktok:khaby.lame' },
      { type: 'creator', id: 'youtube:name:Some One' },
      { type: 'topic', id: 'try not to laugh' },
      { type: 'search', text: '@mrbeast' },
    ]
    for (const subject of subjects) expect(parseSubjects(formatSubject(subject))).toEqual([subject])
  })
})
