import type { ScreenDeps } from './screen.ts'

/** Opens an address in the system's browser; the answer `browser` then says whether there was one. */
export function openAddress(url: string, deps: Pick<ScreenDeps, 'ask' | 'openBrowser'>): void {
  deps.ask(
    'browser',
    deps.openBrowser(url).then(isOpen => ({ ok: true, body: isOpen })),
  )
}
