import type { SetTimer } from './keys/decoder.ts'

/** A timer of real time. */
export const realTimer: SetTimer = (ms, run) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
