import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const minuteCount = 60

/**
 * Makes an hour of 1080p30 H.264 with AAC sound, about 4 Mbit/s: one minute with motion, cuts and pauses is encoded and
 * then copied sixty times.
 * @param gopSec how far apart keyframes are
 * @returns its path
 */
export async function makeHourFile(folder: string, { gopSec }: { readonly gopSec: number }): Promise<string> {
  const minute = join(folder, `minute-${gopSec}.mp4`)
  const hour = join(folder, `hour-${gopSec}.mp4`)
  const list = join(folder, `hour-${gopSec}.txt`)
  const gop = String(gopSec * 30)
  await run('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=s=1920x1080:r=30:d=60', '-f', 'lavfi'],
    ...['-i', "aevalsrc='0.4*sin(2*PI*330*t)*gt(mod(t,7),2)+0.02*random(0)':s=48000:d=60"],
    ...['-filter_complex', '[0:v]hue=h=90*floor(t/6),noise=alls=12:allf=t[v]', '-map', '[v]', '-map', '1:a'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '4M', '-maxrate', '5M', '-bufsize', '8M'],
    ...[
      '-g',
      gop,
      '-keyint_min',
      gop,
      '-sc_threshold',
      '0',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      '-b:a',
      '128k',
      minute,
    ],
  ])
  await writeFile(list, `file '${minute}'\n`.repeat(minuteCount))
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy', hour])
  return hour
}
