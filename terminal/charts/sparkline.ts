const blocks = '▁▂▃▄▅▆▇█'
const asciiLevels = '_.-~=+*#'

/**
 * A line of small bars, exactly `width` characters, without colour. More values than columns: each column shows its highest,
 * so a spike survives; fewer: the line is as long as there are values and padded on the left. A gap is a space.
 */
export function sparkline(values: readonly (number | null)[], width: number, isAscii: boolean): string {
  const columns = values.length <= width ? values : fold(values, width)
  const present = columns.filter((value): value is number => value !== null)
  const min = Math.min(...present)
  const span = Math.max(...present) - min
  const levels = isAscii ? asciiLevels : blocks
  const line = columns
    .map(value => (value === null ? ' ' : levels.charAt(span === 0 ? 3 : Math.round(((value - min) / span) * 7))))
    .join('')
  return line.padStart(width)
}

function fold(values: readonly (number | null)[], width: number): (number | null)[] {
  return Array.from({ length: width }, (_, column) => {
    let highest: number | null = null
    const end = Math.floor(((column + 1) * values.length) / width)
    for (let i = Math.floor((column * values.length) / width); i < end; i++) {
      const value = values[i] ?? null
      if (value !== null && (highest === null || value > highest)) highest = value
    }
    return highest
  })
}
