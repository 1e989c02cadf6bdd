import { createHash, randomUUID } from 'node:crypto'
import {
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../sql/read.ts'
import type { Migration } from './migration-plan.ts'

/** Git does not look there, and whoever deletes it loses seconds. */
const templatesDir = join(packageRoot, 'node_modules', '.cache', 'cliptape-test-stores')
/** Templates of older migrations stay this long, for a run that still copies them. */
const oldTemplateKeptMs = 24 * 3_600_000

/** A store's folder as it is right after its migrations: what every test's own store starts from. */
export interface StoreTemplate {
  /** In the folder's name, e.g. `relational`. */
  readonly name: string
  /** What its schema is made of. */
  readonly migrations: readonly Migration[]
  /** Makes the store in a folder that is not there yet, and closes it. */
  make(dataDir: string): Promise<void>
}

/**
 * Puts a migrated store into `dataDir`, which must not be there yet.
 *
 * Making a store costs seconds of work and copying it a tenth of one, so the first caller makes the template and all
 * later ones, also those of the next run, copy it. Its name holds a hash of the migrations and of package.json, where the
 * engines' versions are. Two that make the same one at once do not wait for each other: the first to be done wins.
 */
export async function copyStore(template: StoreTemplate, dataDir: string): Promise<void> {
  const source = join(templatesDir, `${template.name}-${fingerprint(template.migrations)}`)
  if (!existsSync(source)) await makeTemplate(template, source)
  cpSync(source, dataDir, {
    recursive: true,
    verbatimSymlinks: true,
    errorOnExist: true,
    force: false,
    mode: constants.COPYFILE_FICLONE,
  })
}

function fingerprint(migrations: readonly Migration[]): string {
  const hash = createHash('sha256').update(readFileSync(join(packageRoot, 'package.json')))
  for (const { name, checksum } of migrations) hash.update(`${name} ${checksum}\n`)
  return hash.digest('hex').slice(0, 16)
}

async function makeTemplate(template: StoreTemplate, place: string): Promise<void> {
  mkdirSync(templatesDir, { recursive: true })
  removeOldTemplates()
  const making = `${place}.${randomUUID()}`
  await template.make(making)
  try {
    renameSync(making, place)
  } catch (error) {
    rmSync(making, { recursive: true })
    if (!existsSync(place)) throw error
  }
}

function removeOldTemplates(): void {
  for (const name of readdirSync(templatesDir)) {
    const path = join(templatesDir, name)
    const madeAtMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY
    if (Date.now() - madeAtMs > oldTemplateKeptMs) rmSync(path, { recursive: true, force: true })
  }
}
