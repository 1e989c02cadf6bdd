import { type Command, InvalidArgumentError } from 'commander'
import type { ReplayRequest } from '../../contracts/control.ts'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { existingFile } from '../existing-file.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

const speedDefault = 2_880

interface ReplayVerbOptions {
  speed: number
  loop?: boolean
  as?: string
  stop?: boolean
}

export function addReplay(program: Command, context: VerbContext): void {
  program
    .command('replay')
    .description('Play a historical file as if live, in a world of its own; real rows are not touched.')
    .argument('[file]', 'any file that can be imported')
    .option('--speed <n>', 'Seconds of data time that pass in one second (1 to 1000000).', parseSpeed, speedDefault)
    .option('--loop', 'Begin again at the end.')
    .option('--as <format>', 'Name the format instead of recognising it.')
    .option('--stop', 'End the replay that runs and go back to real rows.')
    .action(async (file: string | undefined, options: ReplayVerbOptions, command: Command) => {
      if ((file === undefined) === (options.stop !== true)) command.error('error: name a file to play, or use --stop')
      const config = configOf(context)
      const server = await findServer(homePaths(config.home))
      if (server === null) {
        if (file === undefined) {
          context.note('No server runs on this home, so no replay does.')
          return
        }
        const { runUp } = await import('../run-up.ts')
        await runUp(context, { replay: await replayOf(context, file, options) })
        return
      }
      const status =
        file === undefined
          ? await server.stopReplay()
          : await server.startReplay(await replayOf(context, file, options))
      context.out(status.notice)
    })
}

async function replayOf(context: VerbContext, file: string, options: ReplayVerbOptions): Promise<ReplayRequest> {
  return {
    file: await existingFile(context, file),
    speed: options.speed,
    loop: options.loop === true,
    ...(options.as === undefined ? {} : { as: options.as }),
  }
}

function parseSpeed(text: string): number {
  const speed = Number(text)
  if (Number.isFinite(speed) && speed >= 1 && speed <= 1_000_000) return speed
  throw new InvalidArgumentError('It must be a number from 1 to 1000000.')
}
