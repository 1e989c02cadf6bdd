import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import { putInBackground } from './background.ts'

const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })

afterEach(() => void child.kill('SIGKILL'))

it('puts a process and its session behind all others, and does not mind one that has ended', async () => {
  const pid = child.pid ?? 0
  await putInBackground(pid)
  expect(getPriority(pid)).toBe(10)
  const group = `/proc/${pid}/autogroup`
  if (existsSync(group)) expect(readFileSync(group, 'utf8')).toMatch(/ nice 10\n$/)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  await expect(putInBackground(pid)).resolves.toBeUndefined()
})
