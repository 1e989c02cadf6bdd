import { Command } from 'commander'
import type { VerbContext } from './verb-context.ts'
import { addAccounts } from './verbs/accounts.ts'
import { addBackup } from './verbs/backup.ts'
import { addDashboard } from './verbs/dashboard.ts'
import { addDoctor } from './verbs/doctor.ts'
import { addImport } from './verbs/import.ts'
import { addKeys } from './verbs/keys.ts'
import { addMigrate } from './verbs/migrate.ts'
import { addQuery } from './verbs/query.ts'
import { addReplay } from './verbs/replay.ts'
import { addRestore } from './verbs/restore.ts'
import { addSandbox } from './verbs/sandbox.ts'
import { addServe } from './verbs/serve.ts'
import { addTerminal } from './verbs/terminal.ts'
import { addToken } from './verbs/token.ts'
import { addUp } from './verbs/up.ts'
import { addVault } from './verbs/vault.ts'
import { addVerify } from './verbs/verify.ts'
import { addVersion } from './verbs/version.ts'
import { addWall } from './verbs/wall.ts'
import { addWorker } from './verbs/worker.ts'
import { cliptapeVersion } from './version.ts'

/** The whole command line. Verbs import what they need when they run, so that `--help` costs nothing. */
export function createProgram(context: VerbContext): Command {
  const program = new Command('cliptape')
    .description('The terminal for viral clips: live trends of YouTube, TikTok and Instagram, keyboard first.')
    .version(cliptapeVersion, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Show help for a verb.')
    .helpCommand('help [verb]', 'Show help for a verb.')
    .showHelpAfterError('(cliptape <verb> --help says how it is used)')
    .exitOverride()
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 used wrongly. Settings: .env.example and docs/env.md.')
  for (const add of [
    addUp,
    addServe,
    addWorker,
    addTerminal,
    addImport,
    addReplay,
    addQuery,
    addDashboard,
    addWall,
    addVerify,
    addToken,
    addBackup,
    addRestore,
    addMigrate,
    addAccounts,
    addKeys,
    addVault,
    addDoctor,
    addSandbox,
    addVersion,
  ]) {
    add(program, context)
  }
  for (const verb of program.commands)
    verb.exitOverride().showHelpAfterError(`(cliptape ${verb.name()} --help says how it is used)`)
  return program
}
