import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { parseConfig } from '../../core/config.ts'
import { packageRoot } from '../../sql/read.ts'
import { endProcess } from '../../test/cli.ts'

it('runs until it is told to end, and prints settings that the configuration takes as they are', {
  timeout: 60_000,
}, async () => {
  const home = await mkdtemp(join(tmpdir(), 'cliptape-sandbox-'))
  const args = [join(packageRoot, 'bin', 'cliptape.mjs'), 'sandbox', '--port', '0', '--creators', '3']
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: home, CLIPTAPE_HOME: join(home, 'unused') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const printed: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      printed.push(line)
      if (line.includes('listens on')) break
    }
    const url = /listens on (\S+)/.exec(printed.at(-1) ?? '')?.[1] ?? ''
    const settings = printed.filter(line => !line.startsWith('#')).map(line => line.split(/=(.*)/s).slice(0, 2))
    const { platformUrls } = parseConfig(Object.fromEntries(settings))
    expect(Object.values(platformUrls).filter(one => one.startsWith(`${url}/`))).toHaveLength(11)
    expect(printed.filter(line => line.startsWith('# google'))).toHaveLength(2)
    expect((await fetch(`${platformUrls.googleToken}/token`, { method: 'POST' })).status).toBe(400)
    expect(await (await fetch(`${url}/_sandbox`)).json()).toMatchObject({
      apps: expect.arrayContaining([
        expect.objectContaining({
          family: 'instagram',
          redirectUris: expect.arrayContaining(['https://localhost:4400/api/auth/callback/instagram']),
        }),
      ]),
    })
    expect(await endProcess(child, 'SIGTERM')).toBe(0)
  } finally {
    await endProcess(child, 'SIGKILL')
    await rm(home, { recursive: true, force: true })
  }
})
