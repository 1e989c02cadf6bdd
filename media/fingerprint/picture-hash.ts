/**
 * The perceptual hash of a picture: the signs of its 256 slowest brightness waves, which survive compression, scaling,
 * small captions and changes of colour. A picture of 64 × 64 brightness values goes through a two-dimensional cosine
 * transform; of the waves 1 to 16 in each direction (0 is the mean brightness) those above their median are 1.
 */

const hashedSidePx = 64
/** The size of what is hashed. */
export const hashedGrid = { columns: hashedSidePx, rows: hashedSidePx } as const
/** 256 bits. */
export const hashWords = 8
const waves = 16
/** Pictures that vary less than this hold nothing to be known by: black, a fade, a plain ground. */
const deviationMin = 10

/** `waveTable[wave * 64 + x]`: cosine waves 1 to 16 over 64 places. */
const waveTable = Float64Array.from({ length: waves * hashedSidePx }, (_, at) => {
  const wave = Math.floor(at / hashedSidePx) + 1
  return Math.cos((Math.PI * wave * ((at % hashedSidePx) + 0.5)) / hashedSidePx)
})

/** A picture's hash, and that of the same picture seen in a mirror; each 8 words. */
export interface PictureHash {
  readonly plain: Uint32Array
  readonly mirrored: Uint32Array
}

/**
 * @param square 64 × 64 brightness values, 0 to 255, rows from the top
 * @returns null for a picture without content
 */
export function hashPicture(square: Float64Array): PictureHash | null {
  if (deviationOf(square) < deviationMin) return null
  const strengths = transform(square)
  // A mirror turns the sign of every odd wave across.
  const mirrored = strengths.map((strength, at) => ((at % waves) % 2 === 0 ? -strength : strength))
  return { plain: bitsAboveMedian(strengths), mirrored: bitsAboveMedian(mirrored) }
}

function deviationOf(values: Float64Array): number {
  let sum = 0
  let squares = 0
  for (const value of values) {
    sum += value
    squares += value * value
  }
  const mean = sum / values.length
  return Math.sqrt(Math.max(0, squares / values.length - mean * mean))
}

/** Strength of wave pairs, `[down * 16 + across]`, each counted from wave 1. */
function transform(square: Float64Array): Float64Array {
  const across = new Float64Array(hashedSidePx * waves)
  for (let y = 0; y < hashedSidePx; y += 1) {
    for (let wave = 0; wave < waves; wave += 1) {
      let sum = 0
      for (let x = 0; x < hashedSidePx; x += 1) {
        sum += (square[y * hashedSidePx + x] ?? 0) * (waveTable[wave * hashedSidePx + x] ?? 0)
      }
      across[y * waves + wave] = sum
    }
  }
  const strengths = new Float64Array(waves * waves)
  for (let down = 0; down < waves; down += 1) {
    for (let wave = 0; wave < waves; wave += 1) {
      let sum = 0
      for (let y = 0; y < hashedSidePx; y += 1) {
        sum += (across[y * waves + wave] ?? 0) * (waveTable[down * hashedSidePx + y] ?? 0)
      }
      strengths[down * waves + wave] = sum
    }
  }
  return strengths
}

function bitsAboveMedian(strengths: Float64Array): Uint32Array {
  const sorted = Float64Array.from(strengths).sort()
  const half = sorted.length / 2
  const median = ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
  const words = new Uint32Array(hashWords)
  for (const [at, strength] of strengths.entries()) {
    if (strength > median) words[at >> 5] = (words[at >> 5] ?? 0) | (1 << (at & 31))
  }
  return words
}

/** How many bits of two 32-bit words differ. */
export function bitsBetween(a: number, b: number): number {
  let bits = a ^ b
  bits -= (bits >>> 1) & 0x55555555
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}
