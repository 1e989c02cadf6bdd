import { AppError } from '../../contracts/errors.ts'
import type { EngineTask } from './port.ts'

/** What ends the tasks of an engine when it is closed. */
export function closingSignal(): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    close: () =>
      controller.abort(new AppError('UNAVAILABLE', 'Cliptape is stopping: the work on this file was ended.')),
  }
}

/** The task, ended by its own signal or by the engine's. */
export function boundBy(closing: AbortSignal, task: EngineTask): EngineTask {
  return { ...task, signal: task.signal ? AbortSignal.any([task.signal, closing]) : closing }
}
