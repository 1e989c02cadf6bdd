/**
 * How much of something is used, as plain text of exactly `width` cells: what is not nothing is seen, and only what is all is
 * full.
 * @param share from 0 to 1
 */
export function shareBar(share: number, width: number, isAscii: boolean): { full: string; empty: string } {
  const cells = Math.min(share < 1 ? width - 1 : width, Math.max(share > 0 ? 1 : 0, Math.round(share * width)))
  const [full, empty] = isAscii ? ['#', '.'] : ['█', '░']
  return { full: full.repeat(cells), empty: empty.repeat(width - cells) }
}

/** Green while there is plenty, a warning from four fifths on, an error when nothing is left. */
export function roleOfShare(share: number): 'good' | 'warn' | 'error' {
  return share >= 1 ? 'error' : share >= 0.8 ? 'warn' : 'good'
}
