import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../sql/read.ts'

/** Which rooms a room may import, beside itself. `everything` may import all of them, and nobody imports those. */
const mayImport: Readonly<Record<string, readonly string[] | 'everything'>> = {
  contracts: [],
  sql: [],
  core: ['contracts', 'sql'],
  analytics: ['contracts', 'core', 'sql'],
  platforms: ['contracts', 'core'],
  media: ['contracts', 'core'],
  ingest: ['contracts', 'core', 'sql', 'platforms'],
  server: ['contracts', 'core', 'sql', 'platforms', 'analytics', 'media'],
  terminal: ['contracts'],
  bin: 'everything',
  test: 'everything',
  bench: 'everything',
}
/** Rooms that are held to a list of packages; the others may use any dependency. */
const mayUsePackages: Readonly<Record<string, readonly string[]>> = {
  contracts: ['zod'],
  sql: ['node:fs', 'node:path', 'node:url'],
}
/** Tests stand beside their file and may use what tests use; their rigs live in test/. */
const testOnly = ['test', 'vitest']

interface Import {
  from: string
  to: string
}

const sources = globSync(`{${Object.keys(mayImport).join(',')}}/**/*.{ts,tsx,mjs}`, { cwd: packageRoot }).filter(
  path => !path.includes('node_modules'),
)

/** Every module that a source names: imports, type imports, re-exports and dynamic imports. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const named = code.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm)
  const bare = code.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g)
  return [...named, ...bare].flatMap(match => match[1] ?? [])
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$|-suite\.ts$/.test(path)
}

const imports: Import[] = sources.flatMap(from =>
  importsOf(readFileSync(join(packageRoot, from), 'utf8')).map(name => ({
    from,
    to: name.startsWith('.') ? relative(packageRoot, join(packageRoot, dirname(from), name)) : name,
  })),
)

function isAllowed({ from, to }: Import): boolean {
  const room = roomOf(from)
  const target = roomOf(to)
  if (!(target in mayImport) || to.startsWith('node:')) {
    const packages = mayUsePackages[room]
    return packages === undefined || packages.includes(to) || (isTest(from) && testOnly.includes(to))
  }
  if (target === room) return true
  if (isTest(from) && testOnly.includes(target)) return true
  const allowed = mayImport[room] ?? []
  return allowed === 'everything' || allowed.includes(target)
}

describe('rooms', () => {
  it('import only the rooms that their table allows, type imports included', () => {
    const offences = imports.filter(one => !isAllowed(one)).map(({ from, to }) => `${from} imports ${to}`)
    expect(offences).toEqual([])
  })

  it('name the file itself, with its real extension', () => {
    const own = imports.filter(({ to }) => roomOf(to) in mayImport && !to.startsWith('node:'))
    const unclear = own
      .filter(({ to }) => !/\.(tsx?|mjs|js|json)$/.test(to))
      .map(({ from, to }) => `${from} imports ${to}`)
    expect(unclear).toEqual([])
    expect(sources.filter(path => /(^|\/)index\.tsx?$/.test(path))).toEqual([])
  })

  it('leave the environment to core/config.ts', () => {
    const readers = sources.filter(
      path =>
        !isTest(path) &&
        !/^(bench|test)\/|\.mjs$/.test(path) &&
        /\bprocess\.env\b/.test(readFileSync(join(packageRoot, path), 'utf8')),
    )
    expect(readers).toEqual(['core/config.ts'])
  })

  it('are read rightly by this test: every form of import is seen', () => {
    const text = [
      "import a from 'one'",
      "import type { B } from './two.ts'",
      "import {\n  c,\n  d,\n} from './three.ts'",
      "export { e } from './four.ts'",
      "const f = await import('./five.ts')",
      "import './six.ts'",
      "// import g from './seven.ts'",
    ].join('\n')
    expect(importsOf(text).sort()).toEqual(['./five.ts', './four.ts', './six.ts', './three.ts', './two.ts', 'one'])
    expect(imports.length).toBeGreaterThan(sources.length)
  })
})
