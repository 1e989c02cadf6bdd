import { Box, Text } from 'ink'
import type { Geometry } from '../frame/frame-model.ts'

/**
 * The whole screen as slots: what stands where, without a word of what it says. A slot is one line of one part; the mark in
 * its first cell says which, and the frame writer puts the drawn line there (see `frame/ink-surface.tsx`).
 */
export function App({ geometry, markOf }: { geometry: Geometry; markOf: (slot: number) => string }) {
  const { columns, rows, headerRows, body, bodyRows, overlayRows, footerRows } = geometry
  let next = 0
  const take = (count: number) => {
    const first = next
    next += count
    return <Slots first={first} count={count} markOf={markOf} />
  }
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      {take(headerRows)}
      <Box flexDirection="row" height={bodyRows}>
        {body.map((column, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: columns have no identity but their place
          <Box key={i} flexDirection="column" width={column.width} flexShrink={0}>
            {take(column.rows)}
          </Box>
        ))}
      </Box>
      {take(overlayRows)}
      {take(footerRows)}
    </Box>
  )
}

function Slots({ first, count, markOf }: { first: number; count: number; markOf: (slot: number) => string }) {
  const slots = Array.from({ length: count }, (_, i) => first + i)
  return slots.map(slot => <Text key={slot}>{markOf(slot)}</Text>)
}
