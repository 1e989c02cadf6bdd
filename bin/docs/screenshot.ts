// Makes a picture of a terminal from a real run: starts a command in tmux, waits, reads the screen with its colours, and draws
// it. `node bin/docs/screenshot.ts docs/terminal.png 160x46 20 "node bin/cliptape.mjs up" [key…]` waits 20 seconds before the
// keys and 3 after them, then ends what it started with Ctrl-C twice. A key `~5` waits five seconds.
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { Resvg } from '@resvg/resvg-js'
import xterm from '@xterm/headless'
import { encodeLine } from '../../terminal/frame/encode-line.ts'
import { createStyle } from '../../terminal/theme/style.ts'
import { themes } from '../../terminal/theme/themes.ts'

type Screen = InstanceType<typeof xterm.Terminal>

const cell = { width: 8.4, height: 17, fontSize: 14 }
const upperHalf = '▀'
const plain = { text: '#d0d0d0', ground: '#000000' }
const levels = [0, 95, 135, 175, 215, 255]
const basic = [
  '#000000',
  '#cd3131',
  '#0dbc79',
  '#e5e510',
  '#2472c8',
  '#bc3fbc',
  '#11a8cd',
  '#e5e5e5',
  '#666666',
  '#f14c4c',
  '#23d18b',
  '#f5f543',
  '#3b8eea',
  '#d670d6',
  '#29b8db',
  '#ffffff',
]

const [path, sizeText = '', secondsText = '20', command, ...keys] = process.argv.slice(2)
const size = /^(\d+)x(\d+)$/.exec(sizeText)
if (path === undefined || command === undefined || size === null)
  throw new Error(
    'Say where to, how large and what: screenshot.ts <file.png> <columns>x<rows> <seconds> <command> [key…]',
  )
const columns = Number(size[1])
const rows = Number(size[2])
const captured = await capture({ command, columns, rows, seconds: Number(secondsText), keys })
const svg = drawSvg(await readScreen(captured, columns, rows))
await writeFile(
  path,
  new Resvg(svg, { font: { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans Mono' } }).render().asPng(),
)

/** The screen of a command as text with colours, one line a row. */
async function capture(options: {
  command: string
  columns: number
  rows: number
  seconds: number
  keys: readonly string[]
}): Promise<string> {
  const name = `screenshot-${process.pid}`
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-L', name, '-f', '/dev/null', ...args], { encoding: 'utf8' })
  const size = ['-x', String(options.columns), '-y', String(options.rows)]
  tmux('new-session', '-d', '-s', name, ...size, `COLORTERM=truecolor LANG=C.UTF-8 ${options.command}`)
  try {
    await wait(options.seconds * 1000)
    for (const key of options.keys) {
      const pause = /^~(\d+)$/.exec(key)
      if (pause === null) tmux('send-keys', '-t', name, key)
      else await wait(Number(pause[1]) * 1000)
    }
    await wait(3000)
    const text = tmux('capture-pane', '-e', '-N', '-p', '-t', name)
    tmux('send-keys', '-t', name, 'C-c')
    await wait(300)
    tmux('send-keys', '-t', name, 'C-c')
    await wait(2000)
    return text
  } finally {
    try {
      tmux('kill-server')
    } catch {
      // It ends by itself when the command does.
    }
  }
}

async function readScreen(text: string, columns: number, rows: number): Promise<Screen> {
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 })
  // Colours carry on from line to line in what tmux hands out. Wide characters are pinned to their columns, because the
  // emulator takes some for narrower than tmux does.
  const style = createStyle({ theme: themes.mono, depth: 24, isAscii: false, isReducedMotion: true })
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map(line => encodeLine(line, 0, style))
  await new Promise<void>(resolve =>
    screen.write(lines.map((line, y) => `\u001b[${y + 1};1H${line}`).join(''), resolve),
  )
  return screen
}

/** Each character on its cell, so that the picture is a grid whatever the font does. */
function drawSvg(screen: Screen): string {
  const grounds: string[] = []
  const glyphs: string[] = []
  for (let y = 0; y < screen.rows; y++) {
    const line = screen.buffer.active.getLine(y)
    // Cells of one ground are one rectangle: seams between them would show.
    let run = { from: 0, to: 0, ground: plain.ground }
    const endRun = () => {
      if (run.ground !== plain.ground && run.to > run.from)
        grounds.push(
          rect(
            (run.from * cell.width).toFixed(1),
            y * cell.height,
            (run.to - run.from) * cell.width,
            cell.height,
            run.ground,
          ),
        )
    }
    for (let x = 0; x < screen.cols; x++) {
      const at = line?.getCell(x)
      const width = at?.getWidth() ?? 0
      if (at === undefined || width === 0) continue
      const own = {
        text: at.isFgDefault() ? plain.text : hexOf(at.isFgRGB(), at.getFgColor()),
        ground: at.isBgDefault() ? plain.ground : hexOf(at.isBgRGB(), at.getBgColor()),
      }
      const [text, ground] = at.isInverse() ? [own.ground, own.text] : [own.text, own.ground]
      const left = (x * cell.width).toFixed(1)
      if (ground === run.ground) run.to = x + width
      else {
        endRun()
        run = { from: x, to: x + width, ground }
      }
      const character = at.getChars()
      if (character.trim() === '') continue
      if (character === upperHalf) {
        // Pictures are made of these: fonts leave seams between them.
        glyphs.push(rect(left, y * cell.height, cell.width + 0.3, cell.height / 2, text))
        continue
      }
      const weight = at.isBold() ? ' font-weight="bold"' : ''
      glyphs.push(
        `<text x="${left}" y="${(y * cell.height + cell.height * 0.76).toFixed(1)}" fill="${text}"${weight}>${escapeXml(character)}</text>`,
      )
    }
    endRun()
  }
  const width = Math.ceil(screen.cols * cell.width)
  const height = screen.rows * cell.height
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans Mono" font-size="${cell.fontSize}" shape-rendering="crispEdges">${rect('0', 0, width, height, plain.ground)}${grounds.join('')}${glyphs.join('')}</svg>`
}

function rect(left: string, top: number, width: number, height: number, fill: string): string {
  return `<rect x="${left}" y="${top}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${fill}"/>`
}

function hexOf(isRgb: boolean, color: number): string {
  if (isRgb) return `#${color.toString(16).padStart(6, '0')}`
  if (color < 16) return basic[color] ?? plain.text
  if (color >= 232) return `#${(8 + (color - 232) * 10).toString(16).padStart(2, '0').repeat(3)}`
  const cube = color - 16
  return `#${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6]
    .map(step => (levels[step] ?? 0).toString(16).padStart(2, '0'))
    .join('')}`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
