import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'cliptape-crash-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** 120,000 readings of 2,000 videos, out of order, with repeats and broken rows: two batches. */
function history(): string {
  const lines = ['platform,video_id,observed_at,views,likes,title,creator_name']
  for (let row = 0; row < 120_000; row++) {
    const video = (row * 7919) % 2000
    const hour = (row * 104_729 + Math.floor(row / 2400)) % 600
    const id = row % 10_007 === 0 ? '' : `${1_000_000 + video}`
    const at = new Date(1_767_225_600_000 + hour * 3_600_000).toISOString()
    lines.push(
      `tiktok,${id},${at},${hour * 100 + (row % 5)},${row % 3},Title ${video} of hour ${hour % 2},Creator ${video % 50}`,
    )
  }
  return lines.join('\n')
}

function start(
  home: string,
  file: string,
): { child: ChildProcess; lines: AsyncIterable<string>; ended: Promise<unknown> } {
  const script = fileURLToPath(new URL('./test-import-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--no-warnings', script, home, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('close', resolve))
  if (!child.stdout) throw new Error('The child has no output.')
  return { child, lines: createInterface({ input: child.stdout }), ended }
}

async function digestOf(home: string, file: string): Promise<string> {
  const { lines, ended } = start(home, file)
  let digest = ''
  for await (const line of lines) if (line.startsWith('digest ')) digest = JSON.parse(line.slice(7))
  await ended
  return digest
}

test('an import that is killed in the middle and run again stores what one clean run stores', {
  timeout: 240_000,
}, async () => {
  const file = join(folder, 'history.csv')
  writeFileSync(file, history())
  const killed = join(folder, 'killed')
  const { child, lines, ended } = start(killed, file)
  let durable = 0
  for await (const line of lines) {
    if (line !== 'durable') continue
    durable++
    child.kill('SIGKILL')
    break
  }
  await ended
  expect([durable, child.signalCode]).toEqual([1, 'SIGKILL'])
  const again = await digestOf(killed, file)
  const clean = await digestOf(join(folder, 'clean'), file)
  expect(again).toBe(clean)
  expect(clean).toMatch(/^samples_v1 \d{5,} /m)
  expect(clean).toMatch(/^dead letters no_subject 12$/m)
})
