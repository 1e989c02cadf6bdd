import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import { ProcessStarter } from './process-starter.ts'

const starter = new ProcessStarter()
afterEach(() => starter.close())

const start = (command: readonly string[], hasInput = false) =>
  starter.start({ command, env: { PATH: process.env.PATH ?? '' }, hasInput })

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it('joins a program to its pipes, and says how it ended', async () => {
  const { stdin, outputs, ended } = await start(['sh', '-c', 'cat; echo words >&2; echo third >&3; exit 3'], true)
  const large = 'x'.repeat(300_000)
  stdin?.end(large)
  const { stdout, stderr, third, fourth } = outputs
  expect(await Promise.all([stdout, stderr, third, fourth].map(text))).toEqual([large, 'words\n', 'third\n', ''])
  expect(await ended).toEqual({ code: 3, signal: null })
})

it('says that a program could not be started', async () => {
  await expect(start(['/nowhere/program'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

it('goes on with another small process when one has died', async () => {
  const { pid, outputs, ended } = await start(['sh', '-c', 'echo $PPID; exec sleep 60'])
  const [said] = await once(outputs.stdout, 'data')
  process.kill(Number(String(said)), 'SIGKILL')
  await expect(ended).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  process.kill(-pid, 'SIGKILL')
  expect(await (await start(['true'])).ended).toEqual({ code: 0, signal: null })
})

it('ends what was started when the process that asked for it is killed', async () => {
  const path = fileURLToPath(new URL('./process-starter.ts', import.meta.url))
  const program = `
    import { ProcessStarter } from ${JSON.stringify(path)}
    const { pid } = await new ProcessStarter().start({ command: ['sleep', '60'], env: { PATH: process.env.PATH }, hasInput: false })
    process.stdout.write(String(pid))`
  const server = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = await once(server.stdout, 'data')
  const pid = Number(String(said))
  expect(isAlive(pid)).toBe(true)
  server.kill('SIGKILL')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 })
})
