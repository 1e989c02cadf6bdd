import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'
import { freePort, killTree, run, startUntil, stopChild } from './process.ts'

export interface PostgresRig {
  /** Logs in as a role that is no superuser and owns the database, as the documentation asks for. */
  readonly url: string
  readonly superuserUrl: string
  readonly folder: string
  /** A new empty database of the same role; gives its URL. */
  createDatabase(name: string): Promise<string>
  /** kill -9 of the server and all its backends. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Fast shutdown, then removes the folder. */
  stop(): Promise<void>
}

/** The folder with initdb and postgres, or null where PostgreSQL is not installed. */
function postgresBin(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map(version => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.find(folder => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ?? null
}

/**
 * Starts a PostgreSQL of our own on a free loopback port, with fsync on, in a temporary folder. Root may not run it: then
 * it runs as the user `postgres` that the Debian package made.
 * @param parent where the folder is made: the system's temporary folder unless told otherwise
 */
export async function startPostgres(parent: string = tmpdir()): Promise<PostgresRig> {
  const bin = postgresBin()
  if (!bin) throw new Error('PostgreSQL is not installed: run node test/services/install.mjs.')
  const account = await serviceAccount()
  const folder = await mkdtemp(join(parent, 'cliptape-postgres-'))
  if (account) await chown(folder, account.uid, account.gid)
  const options = { cwd: folder, ...account }
  await run(
    join(bin, 'initdb'),
    ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
    options,
  )

  const port = await freePort()
  const urlOf = (user: string, database: string) => `postgres://${user}@127.0.0.1:${port}/${database}`
  const superuserUrl = urlOf('postgres', 'postgres')
  let server: ChildProcess | null = null

  const rig: PostgresRig = {
    url: urlOf('cliptape', 'cliptape'),
    superuserUrl,
    folder,
    async createDatabase(name) {
      await runSql(superuserUrl, `create database ${name} owner cliptape`)
      return urlOf('cliptape', name)
    },
    async kill() {
      if (server?.pid) await killTree(server.pid)
      server = null
    },
    async start() {
      const args = [
        '-D',
        join(folder, 'data'),
        '-p',
        String(port),
        '-h',
        '127.0.0.1',
        '-k',
        folder,
        '-c',
        'lc_messages=C',
      ]
      server = await startUntil(join(bin, 'postgres'), args, /ready to accept connections/, options)
    },
    async stop() {
      if (server) await stopChild(server, 'SIGINT')
      await rm(folder, { recursive: true, force: true })
    },
  }
  await rig.start()
  await runSql(superuserUrl, 'create role cliptape login createrole')
  await rig.createDatabase('cliptape')
  return rig
}

async function serviceAccount(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null
  const idOf = async (flag: string) => Number((await run('id', [flag, 'postgres'])).trim())
  return { uid: await idOf('-u'), gid: await idOf('-g') }
}

async function runSql(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
