import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { referenceData } from '../test/reference-data.ts'
import { referenceSets } from './reference-figures.ts'
import { openRig, type Rig } from './test-rig.ts'
import { verifySet } from './verify.ts'

const folder = referenceData('.')

describe.skipIf(folder === null)('an import of the reference data gives the figures that its authors state', () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await openRig()
  })
  afterAll(() => rig.close())

  test.each(referenceSets.filter(set => set.isSmall).map(set => [set.name, set] as const))('%s', async (_name, set) => {
    const figures = await verifySet(rig.deps, folder ?? '', set)
    expect(Object.fromEntries(figures.map(({ figure, actual }) => [figure, actual]))).toEqual(set.figures)
  })
})
