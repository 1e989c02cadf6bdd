import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { z } from 'zod'

// The terminal at 200×60 with a 50-row table of which every row changes ten times a second:
// - CPU of one frame against plain Ink with the same content (its own string-width, its own writer), in the same run;
// - the same with charts beside it, as a share of a core at ten frames a second;
// - the time from a key to its frame;
// - what is sent when a single row changes, against the row's own size.
// Each is measured in a process of its own with NODE_ENV=production. Prints one JSON object.

const folder = join(import.meta.dirname, '../dist/bench')
mkdirSync(folder, { recursive: true })
const script = join(folder, 'terminal-frames.mjs')
await build({
  entryPoints: [join(import.meta.dirname, 'terminal-frames.tsx')],
  outfile: script,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  jsx: 'automatic',
  target: 'node24',
  logLevel: 'error',
})

const FramesSchema = z.object({ cpuMsPerFrame: z.number(), bytesPerFrame: z.number(), oneRowBytes: z.number() })
const KeysSchema = z.object({
  keyMsP50: z.number(),
  keyMsP99: z.number(),
  keyMsMax: z.number(),
  coreWhileTyping: z.number(),
})

function run<T>(schema: z.ZodType<T>, ...args: string[]): T {
  const output = execFileSync(process.execPath, [script, ...args], {
    env: { ...process.env, NODE_ENV: 'production' },
    encoding: 'utf8',
  })
  return schema.parse(JSON.parse(output))
}

/** Two runs of each in turn, the better one counts: other work on the machine only ever adds. */
function best(...args: string[]): z.infer<typeof FramesSchema> {
  const [first, second] = [run(FramesSchema, ...args), run(FramesSchema, ...args)]
  return first.cpuMsPerFrame <= second.cpuMsPerFrame ? first : second
}

const plain = best('plain-rows')
const ours = best('ours')
const cells = best('plain-cells')
const charts = best('ours', 'charts')
const keys = run(KeysSchema, 'keys')
const round = (value: number) => Math.round(value * 100) / 100
process.stdout.write(
  `${JSON.stringify(
    {
      bench: 'terminal',
      what: 'a 50-row table that changes ten times a second at 200x60, NODE_ENV=production',
      plainInkMsPerFrame: round(plain.cpuMsPerFrame),
      plainInkCellsMsPerFrame: round(cells.cpuMsPerFrame),
      oursMsPerFrame: round(ours.cpuMsPerFrame),
      ratioToPlainInk: round(ours.cpuMsPerFrame / plain.cpuMsPerFrame),
      ratioToPlainInkCells: round(ours.cpuMsPerFrame / cells.cpuMsPerFrame),
      withChartsMsPerFrame: round(charts.cpuMsPerFrame),
      withChartsCoreAt10Fps: round(charts.cpuMsPerFrame / 100),
      bytesPerFrame: Math.round(ours.bytesPerFrame),
      plainInkBytesPerFrame: Math.round(plain.bytesPerFrame),
      bytesForOneChangedRow: ours.oneRowBytes,
      keyToFrameMsP50: round(keys.keyMsP50),
      keyToFrameMsP99: round(keys.keyMsP99),
      keyToFrameMsMax: round(keys.keyMsMax),
      coreWhileTyping: round(keys.coreWhileTyping),
    },
    null,
    2,
  )}\n`,
)
