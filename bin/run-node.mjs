import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'

const passedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']

/**
 * Runs a script on the Node that came as a package, with our terminal, and ends as it ends. The channel lets the child
 * notice when this process is killed, and drain instead of staying behind.
 *
 * @param {string} root the folder of package.json
 * @param {string[]} args the script and its arguments
 */
export function runOnNode24(root, args) {
  const child = spawn(join(root, 'node_modules', '.bin', 'node'), args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environmentOfNode24(root),
  })
  for (const signal of passedSignals) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    console.error(`Node 24 could not be started (${error.message}): delete node_modules and try again.`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]))
}

/** Our environment with the packages' commands first, so that tools with a `#!/usr/bin/env node` line run on Node 24. */
export function environmentOfNode24(root) {
  return { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter) }
}
