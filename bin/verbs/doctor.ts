import type { Command } from 'commander'
import type { VerbContext } from '../verb-context.ts'

const marks = { ok: 'ok     ', info: 'info   ', warn: 'warning', fail: 'MISSING' } as const

export function addDoctor(program: Command, context: VerbContext): void {
  program
    .command('doctor')
    .description('Say what is configured, what is missing, and how to fix it.')
    .option('--json', 'Print one JSON object.')
    .action(async (options: { json?: boolean }) => {
      const { examine } = await import('../doctor.ts')
      const findings = await examine(context)
      const isHealthy = findings.every(finding => finding.state !== 'fail')
      if (options.json) context.out(JSON.stringify({ isHealthy, findings }))
      else {
        for (const { state, name, message, fix } of findings) {
          context.out(`${marks[state]}  ${name}: ${message}`)
          if (fix !== null) context.out(`         → ${fix}`)
        }
        context.out(isHealthy ? 'Cliptape can run here.' : 'Something that Cliptape needs is missing.')
      }
      if (!isHealthy) context.exitCode = 1
    })
}
