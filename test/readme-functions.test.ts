import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { functionSpecs } from '../terminal/command/functions.ts'
import { parseCommand } from '../terminal/command/grammar.ts'

// The README teaches commands: what it names must exist, and what exists must be in it.

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const section = readme.split('\n## ').find(part => part.startsWith('Functions')) ?? ''
const rows = section
  .split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '')))

describe('the function table of the README', () => {
  it('names every function but QUIT, which its first steps tell', () => {
    const named = rows.flatMap(([, names]) => names ?? []).sort()
    const existing = functionSpecs.map(spec => spec.name).filter(name => name !== 'QUIT')
    expect(named).toEqual([...existing].sort())
  })

  it('has only examples that run', () => {
    const examples = rows.flatMap(cells => cells[3] ?? [])
    expect(examples.length).toBe(rows.length)
    for (const example of examples)
      expect(parseCommand(example, { focusedSubject: null }), example).toMatchObject({ ok: true })
  })
})
