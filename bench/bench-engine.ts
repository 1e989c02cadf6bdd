import type { MediaEngine } from '../media/engine/port.ts'
import { openTestEngine } from '../test/media-engine.ts'

/** Seconds by which work may take longer than is estimated: a bench often shares its machine. */
const patienceSec = 300

/**
 * The program `ffmpeg` for benches that ask what comes of work, not what it costs: it is not put behind everything
 * else, and is waited for.
 */
export async function openBenchEngine(): Promise<MediaEngine> {
  const engine = await openTestEngine('ffmpeg')
  const waited = <Task extends { readonly cpuSecEstimate: number }>(task: Task) => {
    return { ...task, isWatched: true, cpuSecEstimate: task.cpuSecEstimate + patienceSec }
  }
  return {
    ...engine,
    decode: (request, sink, task) => engine.decode(request, sink, waited(task)),
    soundFingerprint: (request, task) => engine.soundFingerprint(request, waited(task)),
  }
}
