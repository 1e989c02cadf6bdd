import upstream from 'string-width-upstream'

// Ink measures every text of every frame, and string-width sends any line with one non-ASCII glyph through
// Intl.Segmenter and three regular expressions a character: half of a frame's CPU. A table is made of few kinds of
// glyphs whose width is known from their code alone; those are counted here, everything else goes upstream, so that the
// answer is the same (see index.test.ts).

const sgr = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g')

export default function stringWidth(text, options) {
  if (typeof text !== 'string' || text === '') return 0
  if (options !== undefined && (options.countAnsiEscapeCodes || options.ambiguousIsNarrow === false))
    return upstream(text, options)
  let plain = text
  if (text.includes('\x1b')) {
    plain = text.replace(sgr, '')
    if (plain.includes('\x1b')) return upstream(text, options)
  }
  let width = 0
  for (let i = 0; i < plain.length; i++) {
    const code = plain.charCodeAt(i)
    if (code >= 0x20 && code <= 0x7e) width += 1
    else if (isNarrow(code)) width += 1
    else if (isWide(code)) width += 2
    else if (code !== 10 && code !== 13) return upstream(text, options)
  }
  return width
}

/** Latin letters, box drawing, blocks, braille and the marks of our tables; no soft hyphen, no signs that have an emoji form. */
function isNarrow(code) {
  return (
    (code >= 0xa1 && code <= 0x24f && code !== 0xad && code !== 0xa9 && code !== 0xae) ||
    (code >= 0x2500 && code <= 0x259f) ||
    (code >= 0x2800 && code <= 0x28ff) ||
    code === 0x25b2 ||
    code === 0x25bc ||
    code === 0x2026 ||
    code === 0x2022 ||
    code === 0x25cf ||
    code === 0x25cb ||
    code === 0x2013 ||
    code === 0x2014 ||
    code === 0x2192
  )
}

/** CJK ideographs, Hangul syllables and kana, which never combine. */
function isWide(code) {
  return (
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0x3041 && code <= 0x3096) ||
    (code >= 0x30a1 && code <= 0x30fa)
  )
}
