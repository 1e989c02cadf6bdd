// Installs what `npm run test:services` needs, from Debian packages, where apt and root are there. Elsewhere it says
// what is missing and how to get it, and exits with 1. No dependencies: it runs before anything else of ours.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const isOnPath = name => (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, name)))
const hasPostgres = () =>
  isOnPath('postgres') ||
  (existsSync('/usr/lib/postgresql') &&
    readdirSync('/usr/lib/postgresql').some(version =>
      existsSync(join('/usr/lib/postgresql', version, 'bin', 'postgres')),
    ))

/** Debian package, what shows that it is there, and what it is for. */
const needed = [
  { name: 'postgresql', isThere: hasPostgres, purpose: 'the relational store of the cluster profile' },
  {
    name: 'redis-server',
    isThere: () => isOnPath('redis-server'),
    purpose: 'the bus and key-value store of the cluster profile',
  },
  { name: 'curl', isThere: () => isOnPath('curl'), purpose: "the README's lines for scripts" },
  { name: 'jq', isThere: () => isOnPath('jq'), purpose: "the README's lines for scripts" },
  { name: 'ffmpeg', isThere: () => isOnPath('ffmpeg'), purpose: 'clips and timelines with the program' },
  { name: 'tmux', isThere: () => isOnPath('tmux'), purpose: 'whole-terminal tests' },
  {
    name: 'chromium',
    isThere: () => ['chromium', 'chromium-browser', 'google-chrome'].some(isOnPath),
    purpose: 'linking an account through the pages of a platform',
  },
  {
    name: 'strace',
    isThere: () => process.platform !== 'linux' || isOnPath('strace'),
    purpose: 'proof that commits reach fsync',
  },
]

const missing = () => needed.filter(one => !one.isThere())

if (missing().length > 0 && isOnPath('apt-get') && process.getuid?.() === 0) {
  const packages = missing().map(one => one.name)
  console.log(`Installing ${packages.join(', ')} …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env })
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { stdio: 'inherit', env })
}

const left = missing()
if (left.length === 0) {
  console.log(`Services for the tests are there: ${needed.map(one => one.name).join(', ')}.`)
} else {
  for (const one of left) console.error(`Missing: ${one.name} (${one.purpose}).`)
  console.error(
    'Install these packages (Debian: as root, apt-get install …; macOS: brew install …) and run this again.',
  )
  process.exitCode = 1
}
