import { afterAll, beforeAll, describe } from 'vitest'
import { describeIsolation } from './row-level-security-suite.ts'
import { openServerRig, type ServerRig } from './server-rig.ts'

let rig: ServerRig
beforeAll(async () => {
  rig = await openServerRig()
})
afterAll(() => rig.close())

describe('users on PGlite', () => {
  describeIsolation(() => rig)
})
