import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { probeSource } from '../media/source/probe.ts'
import { packageRoot } from '../sql/read.ts'
import { sampleFile } from './media-desk.ts'
import { hasTmux, openTmux, type Tmux } from './services/tmux.ts'

// From an empty home to a clip on the disk, by keyboard alone, with the program and a terminal as they are. Needs ffmpeg or
// node-av: frames are shown.

const cliptape = join(packageRoot, 'bin/cliptape.mjs')
const frameSec = 1 / 30
const outSec = 30.5
let home = ''
/** Where the program is started, which is where it saves. */
let folder = ''
let terminal: Tmux
/** Seconds of the first minute, where the clip is to begin. */
let inText = ''

describe.skipIf(!hasTmux())('a new user who cuts a clip', () => {
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'cliptape-cut-'))
    folder = join(home, 'saved')
    mkdirSync(folder)
    terminal = openTmux({ name: `cliptape-cut-${process.pid}`, columns: 160, rows: 44, home })
  })
  afterAll(() => {
    terminal.close()
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })

  test('registers the sample and sees its frames', async () => {
    terminal.press(`cd ${folder}; clear; node ${cliptape} up`, 'Enter')
    await terminal.shows(' 1 TOP CLIPS 24H')
    terminal.press('MEDIA', 'Enter')
    await terminal.shows('a add')
    terminal.press('a')
    await terminal.shows('Media that you may use')
    terminal.type(sampleFile)
    terminal.press('Enter')
    await terminal.shows(/^ 1 own:\S+ CUT /m)
    await terminal.shows('sample.mp4  00:00:00.000  of 1:00')
    await terminal.shows(hasFrameAndStrip)
  })

  test('marks a suggested moment, and adjusts both ends of it', async () => {
    terminal.press('a')
    const listed = await terminal.shows('SUGGESTED MOMENTS')
    const [, startText = '', lengthText = ''] = /^ +1 {2}00:00:(\S+) +0:(\d+) +\d+ {2}\S/m.exec(listed) ?? []
    terminal.press('n')
    await terminal.shows(`HERE 00:00:${startText}`)
    await terminal.shows(`${lengthText}.000 s marked`)

    terminal.press('Right', 'Right')
    inText = (Number(startText) + 2 * frameSec).toFixed(3).padStart(6, '0')
    await terminal.shows(`HERE 00:00:${inText}`)
    terminal.press('i')
    await terminal.shows(`IN 00:00:${inText}`)
    terminal.press('t')
    await terminal.shows('Go to a timecode')
    terminal.type(String(outSec))
    terminal.press('Enter')
    await terminal.shows(`HERE 00:00:${outSec.toFixed(3)}`)
    terminal.press('o')
    await terminal.shows(`OUT 00:00:${outSec.toFixed(3)}`)
    await terminal.shows(`${(outSec - Number(inText)).toFixed(3)} s marked`)
  })

  test('cuts it, downloads it, and has a file of just that length', async () => {
    terminal.press('Enter')
    await terminal.shows(/credit.* Enter again cuts/)
    terminal.press('Enter')
    await terminal.shows('The clip is being cut')
    terminal.press('C')
    await terminal.shows(/sample\.mp4 .* ready /)
    terminal.press('d')
    await terminal.shows(`to ${folder}/clip-`)
    const files = readdirSync(folder)
    expect(files).toHaveLength(1)
    const outbound = openOutbound({ configuredOrigins: [] })
    const clip = await probeSource({ outbound }, { kind: 'file', path: join(folder, files[0] ?? '') })
    await outbound.close()
    const markedSec = outSec - Number(inText)
    expect(Math.abs(clip.durationSec - markedSec)).toBeLessThanOrEqual(frameSec)
    expect(clip.video?.framesPerSec).toBeCloseTo(1 / frameSec, 3)
    expect(clip.audio).not.toBeNull()
    terminal.press('C-c', 'C-c')
    await terminal.shows(/^prompt> ?$/m)
  })
})

/** Half blocks in lines of one frame, and in others that are full of them. */
function hasFrameAndStrip(screen: string): boolean {
  const lines = screen.split('\n').filter(line => line.includes('▀▀▀▀'))
  return lines.some(line => line.startsWith('....')) && lines.some(line => line.startsWith('▀▀▀▀'))
}
