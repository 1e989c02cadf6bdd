import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../sql/read.ts'
import { hasTmux, openTmux } from './services/tmux.ts'

// In a real terminal, on the sample: somebody makes alerts from TOP and is told when its numbers move.

test.skipIf(!hasTmux())(
  'an alert that is made from TOP flashes when the sample moves, and tells which rows',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'cliptape-alert-'))
    const terminal = openTmux({ name: `cliptape-alert-${process.pid}`, columns: 110, rows: 34, home })
    try {
      terminal.press(`node ${join(packageRoot, 'bin/cliptape.mjs')} up`, 'Enter')
      await terminal.shows(/^ +1 (NEW|·|[▲▼]\d+) /m)

      // About the selected clip: what holds already fires at once.
      terminal.press('!')
      await terminal.shows('A new alert')
      terminal.type('1')
      await terminal.shows('[1 ')
      terminal.press('Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Enter')
      await terminal.shows(/! ALERT {2}.*velocity [\d,]+, above 1\./)
      await terminal.shows('! 1 ALERT')

      // About the list: who comes into it is news when the sample's next day begins.
      terminal.type(':ALRT NEW LIST="CLIPS 24H"')
      terminal.press('Enter')
      await terminal.shows('Among the first')
      terminal.press('Tab', 'Tab', 'Tab', 'Tab', 'Tab', 'Enter')
      await terminal.shows(/! ALERT {2}New in the top 10/)
      await terminal.shows('! 2 ALERTS')

      terminal.type('ALRT FIRINGS')
      terminal.press('Enter')
      await terminal.shows(/! .*New in the top 10/)
      terminal.press('Enter')
      const rows = await terminal.shows('ROWS THAT CAUSED IT')
      expect(rows).toContain('New in the top 10')
      terminal.press('C-c', 'C-c')
      await terminal.shows(/^prompt> ?$/m)
    } finally {
      terminal.close()
      rmSync(home, { recursive: true, force: true })
    }
  },
)
