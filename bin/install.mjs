// Puts node_modules in place before anything of it can be imported: plain JavaScript, Node 18 and up, no dependencies.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const lockPollMs = 250
const lockWaitMsMax = 15 * 60_000

/**
 * Installs the packages of package-lock.json when they are missing or others. Checking costs one hash of the lockfile.
 *
 * @param {string} root the folder of package.json
 * @param {{ needsDev: boolean }} options whether the development packages must be there as well
 * @throws Error whose message is a sentence for the user
 */
export async function ensureInstalled(root, { needsDev }) {
  if (isInstalled(root, needsDev)) return
  await withLock(root, 'install', async () => {
    if (isInstalled(root, needsDev)) return
    console.error('Cliptape: installing packages (once; about 700 MB, one to three minutes) …')
    await npmCi(root)
    if (!isInstalled(root, needsDev)) {
      throw new Error('npm ended without an error, but packages are still missing: delete node_modules and try again.')
    }
    console.error('Cliptape: packages are installed.')
  })
}

/** Runs `work` while no other process of this machine holds the lock of that name for this folder. */
export async function withLock(root, name, work) {
  const folder = join(tmpdir(), `cliptape-${process.getuid?.() ?? 0}-${hashOf(root).slice(0, 12)}-${name}.lock`)
  const giveUpAt = Date.now() + lockWaitMsMax
  let hasSaid = false
  while (!takeLock(folder)) {
    if (Date.now() > giveUpAt) throw new Error(`Another process has held ${folder} for too long: remove that folder.`)
    if (!hasSaid) console.error(`Cliptape: waiting for another process to finish its ${name} …`)
    hasSaid = true
    await delay(lockPollMs)
  }
  try {
    return await work()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isInstalled(root, needsDev) {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const stampPath = join(root, 'node_modules', '.cliptape-installed')
  const stamp = `${hashOf(lockText)} ${needsDev ? 'all' : 'product'}`
  const stamps = existsSync(stampPath) ? readFileSync(stampPath, 'utf8') : ''
  // A folder with the development packages serves the product too.
  if (stamps === stamp || stamps === stamp.replace(/product$/, 'all')) return true
  if (!matchesLock(root, JSON.parse(lockText), needsDev)) return false
  writeFileSync(stampPath, stamp)
  return true
}

/** Whether what npm says it installed has every package of the lockfile at its version. Optional ones may be missing. */
function matchesLock(root, lock, needsDev) {
  const hiddenPath = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(hiddenPath) || !existsSync(join(root, 'node_modules', '.bin', 'node'))) return false
  const installed = JSON.parse(readFileSync(hiddenPath, 'utf8')).packages ?? {}
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || wanted.optional || wanted.devOptional || (wanted.dev && !needsDev)) return true
    // The workspace folder itself is not in npm's list, the link to it is.
    if (!path.startsWith('node_modules/')) return true
    return installed[path] !== undefined && installed[path].version === wanted.version
  })
}

function npmCi(root) {
  // `npm start` says which npm it is; run by hand, npm is on the path.
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev']
  return new Promise((resolve, reject) => {
    // Output goes to standard error: standard output belongs to the verb that follows.
    const stdio = ['ignore', process.stderr, process.stderr]
    // An npm that runs the scripts of packages would let node-av fetch a program of its own from elsewhere.
    const env = { ...process.env, SKIP_FFMPEG: 'true' }
    const child = spawn(command, args, { cwd: root, stdio, env })
    child.on('error', error =>
      reject(new Error(`npm could not be started (${error.message}): install npm 10 or newer.`)),
    )
    child.on('exit', code => {
      if (code === 0) resolve()
      else reject(new Error(`npm ci failed with code ${code}: look at its messages above, mend that, and try again.`))
    })
  })
}

/** The lock is a folder, which only one process can make; the pid in it tells a lock left by a killed process. */
function takeLock(folder) {
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, 'pid'), String(process.pid))
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (isAbandoned(folder)) rmSync(folder, { recursive: true, force: true })
  return false
}

function isAbandoned(folder) {
  try {
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    process.kill(pid, 0)
    return false
  } catch (error) {
    if (error.code === 'ESRCH') return true
    if (error.code !== 'ENOENT') return false
    // Made a moment ago and no pid written yet, or its process died between the two.
    return existsSync(folder) && Date.now() - statSync(folder).mtimeMs > 5_000
  }
}

function hashOf(text) {
  return createHash('sha256').update(text).digest('hex')
}
