import { expect, test } from 'vitest'
import { encodeColors } from './color-depth.ts'
import { createStyle } from './style.ts'
import { colorRoles, themeNames, themes } from './themes.ts'

const esc = '\u001b'
const style = createStyle({ theme: themes.amber, depth: 24, isAscii: false, isReducedMotion: false })

test('puts a line on the ground of its theme, also behind what it switches off', () => {
  expect(encodeColors(`a${style.paint('up', 'b')}c`, themes.amber, 24)).toBe(
    '\x1b[38;2;255;176;0m\x1b[48;2;0;0;0ma\x1b[38;2;61;220;91mb\x1b[38;2;255;176;0mc',
  )
})

test('maps true colour to 256 and to 16 colours', () => {
  expect(encodeColors(style.paint('up', 'b'), themes.amber, 8)).toBe(
    '\x1b[38;5;214m\x1b[48;5;16m\x1b[38;5;77mb\x1b[38;5;214m',
  )
  expect(encodeColors(style.paint('up', 'b'), themes.amber, 4)).toMatch(
    new RegExp(`^${esc}\\[\\d+m${esc}\\[40m${esc}\\[\\d+mb${esc}\\[\\d+m$`),
  )
})

test('sends no colour at depth 0, and keeps bold and inverse', () => {
  expect(encodeColors(style.inverse(style.bold('up', 'b')), themes.amber, 0)).toBe('\x1b[7m\x1b[1mb\x1b[22m\x1b[27m')
})

test('leaves the colours of the terminal alone in the theme without a ground', () => {
  expect(encodeColors('plain', themes.mono, 24)).toBe('plain')
})

test.each(themeNames.filter(name => name !== 'mono'))('can be read in 16 colours: theme %s', name => {
  const theme = themes[name]
  const ground = new RegExp(`${esc}\\[(\\d+)m$`).exec(encodeColors('', theme, 4))?.[1]
  for (const role of colorRoles) {
    const painted = createStyle({ theme, depth: 4, isAscii: false, isReducedMotion: false }).paint(role, 'x')
    const text = new RegExp(`${esc}\\[(\\d+)mx`).exec(encodeColors(painted, theme, 4))?.[1]
    expect(Number(text) + 10, role).not.toBe(Number(ground))
  }
})

test.each(themeNames.filter(name => name !== 'mono'))('has enough contrast between text and ground: theme %s', name => {
  const { base, colors } = themes[name]
  for (const role of colorRoles) {
    const least = role === 'faint' ? 2.5 : name === 'contrast' ? 7 : 4.5
    expect(contrast(colors[role], base?.ground ?? '#000000'), role).toBeGreaterThanOrEqual(least)
  }
})

/** WCAG 2 contrast of two colours. */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
