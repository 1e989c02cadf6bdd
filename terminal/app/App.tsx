import { Box, Text } from 'ink'
import { memo } from 'react'
import type { FrameModel } from '../frame/frame-model.ts'

/** The whole screen. All formatting has happened; this only says what stands where. */
export function App({ model }: { model: FrameModel }) {
  const bodyRows = model.rows - model.header.length - model.footer.length - model.overlay.length
  return (
    <Box flexDirection="column" width={model.columns} height={model.rows}>
      <Lines lines={model.header} />
      <Box flexDirection="row" height={Math.max(0, bodyRows)}>
        {model.body.map((column, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: columns have no identity but their place
          <Box key={i} flexDirection="column" width={column.width} flexShrink={0}>
            <Lines lines={column.lines.slice(0, Math.max(0, bodyRows))} />
          </Box>
        ))}
      </Box>
      <Lines lines={model.overlay} />
      <Lines lines={model.footer} />
    </Box>
  )
}

function Lines({ lines }: { lines: readonly string[] }) {
  return lines.map((line, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
    <Line key={i} line={line} />
  ))
}

/** One preformatted line; React leaves it alone while it stays the same. */
const Line = memo(function Line({ line }: { line: string }) {
  return <Text wrap="truncate">{line}</Text>
})
