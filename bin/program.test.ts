import { expect, it } from 'vitest'
import { createProgram } from './program.ts'

const program = createProgram({ env: {}, cwd: '/', exitCode: 0, out: () => undefined, note: () => undefined })

it('has the verbs that the architecture promises so far', () => {
  expect(program.commands.map(verb => verb.name())).toEqual([
    'up',
    'serve',
    'worker',
    'terminal',
    'import',
    'replay',
    'query',
    'dashboard',
    'wall',
    'verify',
    'token',
    'backup',
    'restore',
    'migrate',
    'accounts',
    'keys',
    'vault',
    'doctor',
    'sandbox',
    'version',
  ])
})

it.each(program.commands.map(verb => [verb.name(), verb] as const))(
  'explains %s and each of its options',
  (name, verb) => {
    expect(verb.helpInformation()).toContain(`Usage: cliptape ${name}`)
    expect(verb.description()).toMatch(/\.$/)
    for (const option of verb.options) expect(option.description, option.flags).toMatch(/\.$/)
  },
)
