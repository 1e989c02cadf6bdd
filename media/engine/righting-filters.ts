/**
 * The filters that turn a picture upright, from the matrix that says how it is shown (ISO/IEC 14496-12, 8.3.2): 3 × 3
 * numbers in rows, of which the upper left 2 × 2 turn and mirror. Only quarter turns occur.
 */
export function rightingFilters(matrix: Int32Array | null): string[] {
  if (matrix === null) return []
  const [a = 0, b = 0, , c = 0, d = 0] = matrix
  const isQuarter = Math.abs(b) > Math.abs(a)
  if (!isQuarter) return [...(a < 0 ? ['hflip'] : []), ...(d < 0 ? ['vflip'] : [])]
  if (b > 0) return [c > 0 ? 'transpose=cclock_flip' : 'transpose=clock']
  return [c < 0 ? 'transpose=clock_flip' : 'transpose=cclock']
}
