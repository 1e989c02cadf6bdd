import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileNicheRules, loadNicheRules } from './rules.ts'

const plain = { title: '', tags: [], category: '', durationSeconds: null }
const names = (matches: { niche: string }[]) => matches.map(({ niche }) => niche)

describe('niche rules', () => {
  it('match whole tags, words of the title and categories, without regard to case', async () => {
    const rules = await loadNicheRules()
    expect(rules.match({ ...plain, tags: ['#Skibidi'] })).toEqual([{ niche: 'brain-rot', rule: 'tag "skibidi"' }])
    expect(names(rules.match({ ...plain, category: 'music' }))).toEqual(['music'])
    expect(names(rules.match({ ...plain, title: 'MINECRAFT: the end' }))).toEqual(['gaming'])
    expect(rules.match({ ...plain, title: 'Minecrafting concatenated' })).toEqual([])
  })

  it('need every condition of a rule, and a known length for a rule about length', () => {
    const rules = compileNicheRules(
      { niches: [{ name: 'short', label: 'Short', rules: [{ titleWords: ['slime'], durationSecondsMax: 60 }] }] },
      'test',
    )
    expect(rules.match({ ...plain, title: 'Slime!', durationSeconds: 60 })).toEqual([
      { niche: 'short', rule: 'title has "slime" and at most 60 s long' },
    ])
    expect(rules.match({ ...plain, title: 'Slime!', durationSeconds: 61 })).toEqual([])
    expect(rules.match({ ...plain, title: 'Slime!' })).toEqual([])
  })
})

describe('a file of rules', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cliptape-niches-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('replaces the shipped one where it exists, and has a hash of its own', async () => {
    const path = join(folder, 'niches.json')
    const shipped = await loadNicheRules(path)
    await writeFile(path, JSON.stringify({ niches: [{ name: 'own', label: 'Own', rules: [{ tags: ['x'] }] }] }))
    const own = await loadNicheRules(path)
    expect(own.niches).toEqual([{ name: 'own', label: 'Own' }])
    expect(own.hash).not.toBe(shipped.hash)
  })

  it('is refused with the file and the place that is wrong', async () => {
    const path = join(folder, 'broken.json')
    await writeFile(path, '{ "niches": [')
    await expect(loadNicheRules(path)).rejects.toThrow(/broken\.json are not valid JSON/)
    await writeFile(path, JSON.stringify({ niches: [{ name: 'Own', label: 'Own', rules: [{ tags: ['x'] }] }] }))
    await expect(loadNicheRules(path)).rejects.toThrow(/niches\.0\.name/)
    await writeFile(
      path,
      JSON.stringify({ niches: [{ name: 'own', label: 'Own', rules: [{ durationSecondsMax: 5 }] }] }),
    )
    await expect(loadNicheRules(path)).rejects.toThrow(/needs tags, titleWords or categories/)
  })
})
