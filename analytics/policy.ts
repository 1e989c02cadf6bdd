/**
 * What the terms of each class of sources allow. A source's name begins with its class: `import:…`, `own:…`,
 * `youtube-api…`. Platforms' own interfaces forbid ranking their numbers beside those of others and deriving an index
 * from them; what a user imported, or owns, may be used so.
 */
const policyClasses = [
  { prefix: 'import:', mayMix: true },
  { prefix: 'own:', mayMix: true },
  { prefix: 'youtube-api', mayMix: false },
  { prefix: 'tiktok-api', mayMix: false },
  { prefix: 'instagram-api', mayMix: false },
] as const

/** Whether readings of this source may stand in rankings across platforms and in the clip index. Unknown sources may not. */
export function mayMix(source: string): boolean {
  return policyClasses.find(({ prefix }) => source.startsWith(prefix))?.mayMix ?? false
}
