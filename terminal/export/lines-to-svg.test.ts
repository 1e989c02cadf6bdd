import { expect, it } from 'vitest'
import { themes } from '../theme/themes.ts'
import { linesToSvg } from './lines-to-svg.ts'

const shapesOf = (line: string) =>
  linesToSvg([line], { width: 12, theme: themes.amber, title: 'A line' })
    .split('\n')
    .filter(part => /^<(rect x|text)/.test(part))

it('puts words at their columns, with their colours', () => {
  expect(shapesOf('\u001b[38;2;255;0;0mab\u001b[39m \u001b[1mc\u001b[22m')).toEqual([
    '<text x="12" y="25" fill="#ff0000" textLength="16.8">ab</text>',
    '<text x="37.2" y="25" fill="#ffb000" font-weight="bold">c</text>',
  ])
})

it('draws grounds, inverse text and blocks as shapes, and wide characters alone', () => {
  expect(shapesOf('\u001b[48;2;0;0;255m x\u001b[49m')).toEqual([
    '<rect x="12" y="12" width="8.4" height="17" fill="#0000ff"/>',
    '<rect x="20.4" y="12" width="8.4" height="17" fill="#0000ff"/>',
    '<text x="20.4" y="25" fill="#ffb000">x</text>',
  ])
  expect(shapesOf('\u001b[7mx\u001b[27m')).toEqual([
    '<rect x="12" y="12" width="8.4" height="17" fill="#ffb000"/>',
    '<text x="12" y="25" fill="#000000">x</text>',
  ])
  expect(shapesOf('▄▄░')).toEqual([
    '<rect x="12" y="20.5" width="16.8" height="8.5" fill="#ffb000"/>',
    '<rect x="28.8" y="12" width="8.4" height="17" fill="#ffb000" opacity="0.25"/>',
  ])
  expect(shapesOf('猫a')).toEqual([
    '<text x="12" y="25" fill="#ffb000">猫</text>',
    '<text x="28.8" y="25" fill="#ffb000">a</text>',
  ])
})

it('lets no text be markup, and leaves out what XML does not allow', () => {
  expect(shapesOf('<&">\u0001\ud800')).toEqual([
    '<text x="12" y="25" fill="#ffb000" textLength="33.6">&lt;&amp;&quot;&gt;</text>',
  ])
})
