import { expect, it } from 'vitest'
import { findSandbox } from './sandbox.ts'

it('is done without where there is no bwrap, and asked for by name where there must be one', async () => {
  expect(await findSandbox({ mode: 'auto', searchPath: '/nowhere' })).toBeNull()
  expect(await findSandbox({ mode: 'off', searchPath: process.env.PATH ?? '' })).toBeNull()
  await expect(findSandbox({ mode: 'on', searchPath: '/nowhere' })).rejects.toMatchObject({
    code: 'NOT_CONFIGURED',
    message: expect.stringContaining('bwrap (bubblewrap) is not installed'),
  })
})
