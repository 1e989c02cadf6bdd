import { openRig } from './test-rig.ts'

/**
 * A process that imports one file and then prints a digest of everything stored; its parent kills it in the middle.
 * Arguments: home, file. Prints `durable` after each batch, and at the end `digest <JSON string>`.
 */
const [home = '', file = ''] = process.argv.slice(2)
const rig = await openRig(home)
await rig.deps.bus.subscribe('samples.written', () => {
  process.stdout.write('durable\n')
})
const { failures } = await rig.import({ files: [file] })
for (const failure of failures) process.stderr.write(`${failure.message}\n`)
process.stdout.write(`digest ${JSON.stringify(await rig.digest())}\n`)
await rig.close()
