import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { AppError } from '../../contracts/errors.ts'
import { Slots } from '../../core/slots.ts'

const derive = promisify(argon2)

/** Of argon2id: memory in KiB, passes over it, lanes. */
export interface PasswordCost {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

/** What OWASP advises for argon2id: 19 MiB, two passes, one lane. */
export const passwordCostDefault: PasswordCost = { memoryKib: 19_456, passes: 2, parallelism: 1 }

const saltBytes = 16
const hashBytes = 32
/** A burst of logins waits for its turn instead of taking 19 MiB each. */
const queuedMax = 200
const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** Hashes passwords with argon2id. Never call it inside a transaction: it takes tens of milliseconds. */
export interface Passwords {
  /** A PHC string. @throws AppError UNAVAILABLE when too many wait already */
  hash(password: string): Promise<string>
  /**
   * Whether the password is the hash's. `null` for an account that is not there: the same work is done, so that the time
   * tells nothing. `isWeak`: the hash was made at a lower cost than is usual now.
   * @throws AppError UNAVAILABLE when too many wait already
   */
  verify(password: string, hash: string | null): Promise<{ isRight: boolean; isWeak: boolean }>
}

export function createPasswords(cost: PasswordCost = passwordCostDefault): Passwords {
  // As many as the machine has cores, and never all threads of the pool, which files and names need too.
  const slots = new Slots({ concurrentMax: Math.min(2, availableParallelism()), queuedMax })
  const never = new AbortController().signal
  const run = async (password: string, salt: Buffer, at: PasswordCost, bytes: number): Promise<Buffer> => {
    const giveBack = await slots.take(never)
    if (giveBack === null) throw new AppError('UNAVAILABLE', 'Too many people sign in at this moment: try again.')
    try {
      return await derive('argon2id', parametersOf(password, salt, at, bytes))
    } finally {
      giveBack()
    }
  }
  return {
    async hash(password) {
      const salt = randomBytes(saltBytes)
      return phcOf(cost, salt, await run(password, salt, cost, hashBytes))
    },
    async verify(password, hash) {
      const known = hash === null ? null : parsePhc(hash)
      const { salt, expected, at } = known ?? { salt: randomBytes(saltBytes), expected: null, at: cost }
      const found = await run(password, salt, at, expected?.length ?? hashBytes)
      const isRight = expected !== null && timingSafeEqual(found, expected)
      return { isRight, isWeak: isRight && isBelow(at, cost) }
    },
  }
}

/** The same letters typed on another system may be other code points: NFC makes them one. */
function parametersOf(password: string, nonce: Buffer, cost: PasswordCost, tagLength: number): Argon2Parameters {
  const { memoryKib: memory, passes, parallelism } = cost
  return { message: Buffer.from(password.normalize('NFC')), nonce, parallelism, tagLength, memory, passes }
}

function isBelow(cost: PasswordCost, usual: PasswordCost): boolean {
  return cost.memoryKib < usual.memoryKib || cost.passes < usual.passes
}

function phcOf(cost: PasswordCost, salt: Buffer, hash: Buffer): string {
  const bare = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.parallelism}$${bare(salt)}$${bare(hash)}`
}

/** @throws Error for a text that no version of ours has written */
function parsePhc(text: string): { at: PasswordCost; salt: Buffer; expected: Buffer } {
  const [, memory, passes, parallelism, salt, hash] = phcPattern.exec(text) ?? []
  if (salt === undefined || hash === undefined) throw new Error('A stored password hash is not one of argon2id.')
  return {
    at: { memoryKib: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    expected: Buffer.from(hash, 'base64'),
  }
}
