import { parseEnv } from 'node:util'
import { expect, it } from 'vitest'
import { parseConfig } from '../../core/config.ts'
import { settings } from '../../core/settings.ts'
import { envExample } from './env.ts'

it('lists every setting in .env.example, which as it stands is a valid configuration', () => {
  const uncommented = envExample().replace(/^# ([A-Z][A-Z0-9_]*=)/gm, '$1')
  const values = parseEnv(uncommented)
  expect(Object.keys(values).sort()).toEqual(settings.map(setting => setting.name).sort())
  expect(parseConfig(values, {}, '/nowhere').stores).toEqual({ profile: 'embedded' })
})
