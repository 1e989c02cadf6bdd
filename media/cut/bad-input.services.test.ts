import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CutOptionsSchema } from '../../contracts/media.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { openTestEngine } from '../../test/media-engine.ts'
import { canMountTmpfs, mountTmpfs } from '../../test/services/tmpfs.ts'
import type { MediaEngine } from '../engine/port.ts'
import { probeSource } from '../source/probe.ts'
import { cutClip } from './cut-clip.ts'

const sample = fileURLToPath(new URL('../sample/sample.mp4', import.meta.url))
const outbound = openOutbound({ configuredOrigins: [] })
let engine: MediaEngine
let root: string
beforeAll(async () => {
  engine = await openTestEngine('ffmpeg')
  root = mkdtempSync(join(tmpdir(), 'cliptape-bad-'))
})
afterAll(async () => {
  rmSync(root, { recursive: true, force: true })
  await Promise.all([engine.close(), outbound.close()])
})

function made(name: string, ...args: string[]): string {
  const path = join(root, name)
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, path])
  return path
}

const cut = (path: string, startSec: number, endSec: number, o: { folder?: string; signal?: AbortSignal } = {}) =>
  cutClip(
    { engine, outbound },
    { source: { kind: 'file', path }, startSec, endSec, options: CutOptionsSchema.parse({ crop: '9:16' }) },
    { folder: o.folder ?? mkdtempSync(join(root, 'job-')), ...(o.signal && { signal: o.signal }) },
  )
const probe = (path: string) => probeSource({ outbound }, { kind: 'file', path })

it('refuses a file of a hundred tracks', async () => {
  const maps = Array.from({ length: 100 }, () => ['-map', '0:a']).flat()
  const path = made('tracks.mp4', '-f', 'lavfi', '-i', 'anullsrc=d=1', ...maps, '-c:a', 'aac')
  await expect(probe(path)).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('100') })
})

it('refuses pictures that would take gigabytes to decode', async () => {
  const source = ['-f', 'lavfi', '-i', 'color=black:s=8192x4608:d=0.1', '-c:v', 'libx264', '-preset', 'ultrafast']
  const path = made('large.mp4', ...source)
  await expect(probe(path)).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('8192') })
  const decoding = engine.decode(
    {
      input: { kind: 'file', path },
      picture: { widthPx: 16, heightPx: 16, pixels: 'gray', which: 'all', framesMax: 10 },
      sound: null,
    },
    {},
    { cpuSecEstimate: 5 },
  )
  await expect(decoding).rejects.toMatchObject({ code: 'BAD_REQUEST' })
})

it('makes no million frames of a gap of ten hours', async () => {
  const path = made(
    'gap.mkv',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=64x64:r=25:d=2',
    '-vf',
    'setpts=if(gte(N\\,25)\\,PTS+36000/TB\\,PTS)',
    '-fps_mode',
    'passthrough',
    '-c:v',
    'libx264',
  )
  expect((await probe(path)).durationSec).toBeGreaterThan(36_000)
  const clip = await cut(path, 0.2, 100)
  expect(clip.frameCount).toBeLessThan(30)
})

it.skipIf(!(await canMountTmpfs()))('says that the disk is full, and leaves the work of others alone', async () => {
  const tmpfs = await mountTmpfs(1)
  try {
    const long = cut(sample, 1, 59, { folder: tmpfs.folder })
    const [full, other] = await Promise.allSettled([long, cut(sample, 5, 7)])
    expect(full).toMatchObject({ reason: { code: 'UNAVAILABLE', message: expect.stringContaining('disk is full') } })
    expect(other).toMatchObject({ status: 'fulfilled' })
  } finally {
    await tmpfs.unmount()
  }
})

it('leaves no process behind when it is cancelled', async () => {
  const stopping = new AbortController()
  const reason = new Error('The job was cancelled.')
  const cutting = cut(sample, 0, 55, { signal: stopping.signal })
  /** Below this process, however far. */
  const encoders = (): string[] => {
    const lines = spawnSync('ps', ['-e', '-o', 'pid=,ppid=,comm=']).stdout.toString().trim().split('\n')
    const all = lines.map(line => line.trim().split(/\s+/))
    const below = new Set([String(process.pid)])
    for (let before = 0; before !== below.size; ) {
      before = below.size
      for (const [pid = '', parent = ''] of all) if (below.has(parent)) below.add(pid)
    }
    return all.flatMap(([pid = '', , command]) => (below.has(pid) && command === 'ffmpeg' ? [pid] : []))
  }
  await expect.poll(encoders, { timeout: 60_000 }).toHaveLength(1)
  stopping.abort(reason)
  await expect(cutting).rejects.toBe(reason)
  expect(encoders()).toEqual([])
})
