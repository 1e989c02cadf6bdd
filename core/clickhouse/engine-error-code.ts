/** The engine's error number: a property where the binding gives one, else the `Code: N.` that starts its text; 0 without. */
export function engineErrorCode(error: unknown): number {
  if (!(error instanceof Error)) return 0
  if ('clickhouseCode' in error && typeof error.clickhouseCode === 'number') return error.clickhouseCode
  return Number(/^Code: (\d+)\./.exec(error.message)?.[1] ?? 0)
}
