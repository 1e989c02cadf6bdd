import type { Request, Response } from 'express'
import type { Ask } from './exchange.ts'
import type { SandboxState } from './state.ts'

/** Where Instagram's files lie, under the sandbox's own address. */
export const videoPath = '/scontent.cdninstagram.com/sandbox/:file'
const goodMs = 3_600_000

/** The address of a post's file, good for an hour; of a sandbox without a file it leads out of it, to nothing. */
export function videoUrl({ videoFile }: SandboxState, ask: Ask, fileName: string): string {
  const base = videoFile === null ? 'https://' : `${new URL(ask.baseUrl).origin}/`
  return `${base}scontent.cdninstagram.com/sandbox/${fileName}?oe=${Math.floor((ask.nowMs + goodMs) / 1000)}`
}

/** Gives the file, in ranges too, while its address is good. */
export function sendVideo({ videoFile, clock }: SandboxState, request: Request, response: Response): void {
  const isGood = Number(request.query.oe) * 1000 > clock.nowMs()
  if (videoFile === null || !isGood) response.status(403).type('text').send('URL signature expired')
  else response.sendFile(videoFile)
}
