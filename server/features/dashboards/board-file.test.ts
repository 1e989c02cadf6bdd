import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AppError } from '../../../contracts/errors.ts'
import { packageRoot } from '../../../sql/read.ts'
import { readBoardFile, writeBoardFile } from './board-file.ts'
import { builtInBoards } from './built-in.ts'

const file = `# What I look at in the morning.
name: Morning
refresh: 30

panels:
  - id: top # the only one that counts
    title: Top
    kind: bar
    at: { x: 0, y: 0, width: 12, height: 4 }
    # As many as fit.
    source: { query: trends, params: { type: creators, limit: 20 } }
    options: { label: title, value: gain }
`

function refusal(text: string): AppError {
  try {
    readBoardFile(text)
  } catch (error) {
    return error as AppError
  }
  throw new Error('The file was taken.')
}

describe('the file of a board', () => {
  it('is what its documentation shows', () => {
    const page = readFileSync(join(packageRoot, 'docs', 'dashboards.md'), 'utf8')
    const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? ''
    expect(readBoardFile(example).panels).toHaveLength(3)
  })

  it.each(builtInBoards())('says of $name what it said, and nothing that goes without saying', ({ board, file }) => {
    expect(readBoardFile(writeBoardFile(board))).toEqual(board)
    expect(writeBoardFile(board, file)).toBe(writeBoardFile(board, writeBoardFile(board, file)))
  })

  it('keeps comments beside what did not change', () => {
    const board = readBoardFile(file)
    const [top] = board.panels
    if (top === undefined) throw new Error('The board has a panel.')
    const changed = writeBoardFile({ ...board, name: 'Evening', panels: [{ ...top, rows: 3 }] }, file)
    expect(changed.split('\n')).toEqual(
      expect.arrayContaining([
        '# What I look at in the morning.',
        'name: Evening',
        '  - id: top # the only one that counts',
        '    # As many as fit.',
        '    rows: 3',
      ]),
    )
    expect(readBoardFile(changed)).toEqual({ ...board, name: 'Evening', panels: [{ ...top, rows: 3 }] })
  })

  it('is refused with line and column, and the names of panel and field', () => {
    expect(refusal(file.replace('value: gain', 'valu: gain'))).toMatchObject({
      code: 'BAD_REQUEST',
      message: 'Line 12, column 14: Panel top: options.value is missing.',
      details: { line: 12, column: 14 },
    })
    expect(refusal(file.replace('limit: 20', 'limit: 900')).message).toMatch(
      /^Line 11, column \d+: Panel top: source\.params\.limit /,
    )
    expect(refusal(file.replace('  - id: top', '  - id: [top')).message).toMatch(/^Line \d+, column \d+: /)
  })

  it('is refused when it is deep, endless or no board at all', () => {
    expect(refusal(`name: ${'['.repeat(100_000)}`).message).toMatch(/nested more than 20 levels/)
    const bomb = [
      'a: &a [x, x]',
      ...'bcdefghij'
        .split('')
        .map(
          (name, i) =>
            `${name}: &${name} [*${'abcdefghij'[i]}, *${'abcdefghij'[i]}, *${'abcdefghij'[i]}, *${'abcdefghij'[i]}]`,
        ),
    ]
    expect(refusal(bomb.join('\n')).code).toBe('BAD_REQUEST')
    expect(refusal(file.replace('morning', '\u001b]52;c;x\u0007')).message).toBe('The file holds control characters.')
    for (const text of ['', '- a', 'x', '{}', 'name: 5']) expect(refusal(text).code).toBe('BAD_REQUEST')
  })
})
