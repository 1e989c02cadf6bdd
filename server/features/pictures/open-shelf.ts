import { stat } from 'node:fs/promises'
import type { Clock } from '../../../core/clock.ts'
import type { MediaSource, OpenedMedia } from '../../../media/source/open-source.ts'

/** Media that nobody asks for is closed after so long, and the one asked for longest ago when more than so many are open. */
const idleMsMax = 60_000
const openMax = 3
const tidyMs = 20_000

interface Shelved {
  readonly media: Promise<OpenedMedia>
  /** How many read it at the moment. */
  readerCount: number
  usedAtMs: number
  /** Nobody else gets it; it is closed when its last reader is done. */
  isTakenOff: boolean
}

/**
 * Media that somebody looks at, kept open between questions: to read the index of an hour takes longer than to decode a
 * picture, and whoever looks for a place in a video asks for picture after picture. What failed once is not kept, nor a
 * file of this machine that has changed.
 */
export class OpenShelf {
  readonly #clock: Clock
  /** In the order of use, the last used one last. */
  readonly #shelved = new Map<string, Shelved>()
  readonly #timer: NodeJS.Timeout

  constructor(clock: Clock) {
    this.#clock = clock
    this.#timer = setInterval(() => this.tidy(), tidyMs).unref()
  }

  /**
   * Media that is open already or is opened now, for as long as `read` takes.
   * @param media.whose keeps apart what equal sources mean to different people
   * @param media.open not ended by any one reader's signal: others may wait for it too
   * @param media.gone aborted when the reader went away, which says nothing against the media
   * @throws what `open` and `read` throw
   */
  async use<T>(
    media: { whose: string; source: MediaSource; open: () => Promise<OpenedMedia>; gone: AbortSignal },
    read: (media: OpenedMedia) => Promise<T>,
  ): Promise<T> {
    const key = `${media.whose} ${await identityOf(media.source)}`
    const kept = this.#shelved.get(key)
    const shelved = kept ?? { media: media.open(), readerCount: 0, usedAtMs: 0, isTakenOff: false }
    this.#shelved.delete(key)
    this.#shelved.set(key, shelved)
    shelved.readerCount += 1
    shelved.usedAtMs = this.#clock.nowMs()
    this.tidy()
    try {
      return await read(await shelved.media)
    } catch (error) {
      if (!media.gone.aborted && !shelved.isTakenOff) this.#takeOff(key, shelved)
      throw error
    } finally {
      shelved.readerCount -= 1
      if (shelved.isTakenOff) await closeUnread(shelved)
    }
  }

  /** Closes what nobody reads; what is read is closed by its last reader. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const all = [...this.#shelved]
    for (const [key, shelved] of all) this.#takeOff(key, shelved)
    await Promise.all(all.map(([, shelved]) => closeUnread(shelved)))
  }

  /** Closes what is idle, and what is too many. */
  tidy(): void {
    const nowMs = this.#clock.nowMs()
    for (const [key, shelved] of this.#shelved) {
      const isIdle = shelved.readerCount === 0 && nowMs - shelved.usedAtMs > idleMsMax
      if (!isIdle && this.#shelved.size <= openMax) continue
      this.#takeOff(key, shelved)
      void closeUnread(shelved)
    }
  }

  #takeOff(key: string, shelved: Shelved): void {
    shelved.isTakenOff = true
    this.#shelved.delete(key)
  }
}

/** Of what was taken off: the last reader comes here when nobody else reads. */
async function closeUnread(shelved: Shelved): Promise<void> {
  if (shelved.readerCount > 0) return
  const media = await shelved.media.catch(() => null)
  await media?.close().catch(() => undefined)
}

/** Says also which version of a file it is. */
async function identityOf(source: MediaSource): Promise<string> {
  switch (source.kind) {
    case 'blob':
      return `blob ${source.key}`
    case 'url':
      return `url ${source.url}`
    case 'named':
      return `named ${source.place}`
    case 'file': {
      const now = await stat(source.path).catch(() => null)
      return `file ${source.path} ${now === null ? '' : `${now.ino} ${now.size} ${now.mtimeMs}`}`
    }
  }
}
