#!/usr/bin/env node
// The launcher: any Node from 18 on. It installs and builds what is missing, then runs the bundle on Node 24 or newer:
// in this process when it is one with argon2 in it, else on the Node that npm installed as a package.
import crypto from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { ensureInstalled } from './install.mjs'
import { runOnNode24 } from './run-node.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const nodeMajor = Number(process.versions.node.split('.')[0])

try {
  await ensureInstalled(root, { needsDev: false })
  await ensureBuilt(root)
} catch (error) {
  console.error(`Cliptape could not be prepared. ${error.message}`)
  process.exit(1)
}

const bundle = join(root, 'dist', 'cliptape.mjs')
process.env.NODE_ENV = 'production'
if (nodeMajor >= 24 && hasArgon2()) await import(pathToFileURL(bundle).href)
else runOnNode24(root, [bundle, ...process.argv.slice(2)])

/** Node has it from 24.7 on, unless it was built against an older OpenSSL. */
function hasArgon2() {
  const cost = { message: '', nonce: Buffer.alloc(16), parallelism: 1, tagLength: 16, memory: 8, passes: 1 }
  try {
    crypto.argon2Sync('argon2id', cost)
    return true
  } catch {
    return false
  }
}
