import { type Config, type ConfigFlags, type Environment, parseConfig } from '../core/config.ts'

/** What a verb is given: the world outside the process, so that verbs can be run in a test. */
export interface VerbContext {
  readonly env: Environment
  readonly cwd: string
  /** What the process ends with; a verb sets 1 when it did its work and the answer is no. */
  exitCode: number
  /** A line of the verb's result. */
  out(text: string): void
  /** A line for the person, never part of the result. */
  note(text: string): void
}

/** The configuration of a verb: environment, then its flags. */
export function configOf(context: VerbContext, flags: ConfigFlags = {}): Config {
  return parseConfig(context.env, flags, context.cwd)
}
