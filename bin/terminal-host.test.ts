import { describe, expect, it } from 'vitest'
import { terminalVariables } from '../core/config.ts'
import { terminalEnv } from './terminal-host.ts'

const envOf = (env: Record<string, string>) => terminalEnv(terminalVariables(env))
const utf8 = { LANG: 'en_US.UTF-8' }

describe('terminalEnv', () => {
  it.each([
    [{ COLORTERM: 'truecolor', TERM: 'xterm-256color' }, 24],
    [{ TERM: 'xterm-256color' }, 8],
    [{ TERM: 'xterm' }, 4],
    [{ COLORTERM: 'truecolor', NO_COLOR: '1' }, 0],
    [{ TERM: 'dumb', COLORTERM: 'truecolor' }, 0],
  ])('draws %o in a depth of %i bits', (env, depth) => {
    expect(envOf({ ...utf8, ...env }).depth).toBe(depth)
  })

  it('keeps to ASCII where the locale is not UTF-8', () => {
    expect(envOf({ ...utf8, TERM: 'xterm' }).isAscii).toBe(false)
    expect(envOf({ LANG: 'C', TERM: 'xterm' }).isAscii).toBe(true)
    expect(envOf({ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX', TERM: 'xterm' }).isAscii).toBe(true)
  })

  it('takes the wishes of people who cannot follow a moving screen', () => {
    expect(envOf({ ...utf8, ACCESSIBLE: '1' }).isAccessible).toBe(true)
    expect(envOf({ ...utf8, REDUCED_MOTION: '1' })).toMatchObject({ isReducedMotion: true, isAccessible: false })
  })
})
