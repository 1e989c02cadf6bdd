import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { expect, it } from 'vitest'
import { parseConfig } from '../../core/config.ts'
import { settings } from '../../core/settings.ts'
import { packageRoot } from '../../sql/read.ts'
import { envExample, envPage } from './env.ts'

const committed = (path: string) => readFileSync(join(packageRoot, path), 'utf8')

it('keeps .env.example and docs/env.md equal to the table of settings (npm run docs)', () => {
  expect(committed('.env.example')).toBe(envExample())
  expect(committed('docs/env.md')).toBe(envPage())
})

it('lists every setting in .env.example, which as it stands is a valid configuration', () => {
  const uncommented = envExample().replace(/^# ([A-Z][A-Z0-9_]*=)/gm, '$1')
  const values = parseEnv(uncommented)
  expect(Object.keys(values).sort()).toEqual(settings.map(setting => setting.name).sort())
  expect(parseConfig(values, {}, '/nowhere').stores).toEqual({ profile: 'embedded' })
})
