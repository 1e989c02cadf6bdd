/** How people name a creator: an address with or without its scheme, `@name`, a bare name, or an id as Cliptape writes it. */
export type CreatorAddress =
  | { readonly form: 'path'; readonly host: string; readonly path: readonly string[] }
  | { readonly form: 'word'; readonly word: string; readonly hasAt: boolean }

/** @returns null when it is neither an address nor one word */
export function readCreatorAddress(platform: string, text: string): CreatorAddress | null {
  const trimmed = text.trim().replace(new RegExp(`^${platform}:(?!//)`, 'i'), '')
  if (trimmed === '' || trimmed.length > 500) return null
  const isAddress = /^https?:\/\//i.test(trimmed) || /^[\w-]+(\.[\w-]+)+\//.test(trimmed)
  if (!isAddress) {
    const word = trimmed.replace(/^@/, '')
    return /[\s/?#:]/.test(word) ? null : { form: 'word', word, hasAt: word !== trimmed }
  }
  const address = /^https?:/i.test(trimmed) ? trimmed : `https://${trimmed}`
  if (!URL.canParse(address)) return null
  const url = new URL(address)
  try {
    const path = url.pathname.split('/').flatMap(part => (part === '' ? [] : [decodeURIComponent(part)]))
    return { form: 'path', host: url.hostname.replace(/^(www|m)\./, ''), path }
  } catch {
    return null
  }
}
