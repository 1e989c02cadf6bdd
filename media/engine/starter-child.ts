/**
 * The small process of a `ProcessStarter`: starts programs, joins their pipes to connections of the server, and says how
 * they end. When the server is gone, however that came, it ends everything that it started.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { pipeName, type StartReport, type StartRequest } from './starter-messages.ts'

/** More than this before the end of the first line is no name. */
const nameBytesMax = 64
const lineEnd = 10

const [socketPath = ''] = process.argv.slice(2)
const running = new Set<ChildProcess>()
/** By name: connections that came before their program, and programs whose connection has not come. */
const sockets = new Map<string, Socket>()
const joins = new Map<string, (socket: Socket) => void>()

function tell(report: StartReport): void {
  process.send?.(report)
}

function start({ id, command, env, hasInput }: StartRequest): void {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    // A group of its own, so that all of it can be ended at once.
    detached: true,
    cwd: '/',
    env: { ...env },
  })
  child.once('error', () => tell({ kind: 'failed', id }))
  if (child.pid === undefined) return
  running.add(child)
  child.once('close', (code, signal) => {
    running.delete(child)
    tell({ kind: 'ended', id, code, signal })
  })
  tell({ kind: 'started', id, pid: child.pid })
  const { stdin } = child
  if (stdin) meet(pipeName(id, 0), socket => pipeline(socket, stdin, () => socket.destroy()))
  child.stdio.forEach((pipe, descriptor) => {
    if (descriptor > 0 && isReadable(pipe))
      meet(pipeName(id, descriptor), socket => pipeline(pipe, socket, () => undefined))
  })
}

/** Joins a pipe to its connection, now or when it comes. */
function meet(name: string, join: (socket: Socket) => void): void {
  const socket = sockets.get(name)
  sockets.delete(name)
  if (socket) join(socket)
  else joins.set(name, join)
}

function arrive(name: string, socket: Socket): void {
  const join = joins.get(name)
  joins.delete(name)
  if (join) return join(socket)
  sockets.set(name, socket)
  socket.once('close', () => sockets.delete(name))
}

/** What comes behind the first line is for the program. */
function readName(socket: Socket): void {
  let name = ''
  const take = (chunk: Buffer): void => {
    const end = chunk.indexOf(lineEnd)
    name += chunk.subarray(0, end < 0 ? chunk.length : end).toString('latin1')
    if (end < 0 && name.length <= nameBytesMax) return
    socket.off('data', take).pause()
    if (end < 0) return void socket.destroy()
    if (end + 1 < chunk.length) socket.unshift(chunk.subarray(end + 1))
    arrive(name, socket)
  }
  // Who goes away early is seen by what the connection is joined to.
  socket.on('data', take).on('error', () => undefined)
}

function isReadable(stream: unknown): stream is Readable {
  return stream !== null && typeof stream === 'object' && 'read' in stream
}

function endAll(): void {
  for (const { pid } of running) {
    if (pid === undefined) continue
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It ended in this moment.
    }
  }
  rmSync(dirname(socketPath), { recursive: true, force: true })
  process.exit(0)
}

// Keys of the terminal and signals to its group are for the server: when that ends, so does this.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', endAll)
process.on('message', (request: StartRequest) => start(request))
createServer({ allowHalfOpen: true }, readName).listen(socketPath, () => tell({ kind: 'ready' }))
