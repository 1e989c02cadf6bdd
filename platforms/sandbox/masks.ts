/** Google's `fields`: `items(id,statistics/viewCount),nextPageToken`. Null masks nothing. */
type Mask = Map<string, Mask | null>

/** Leaves of an answer what the mask names. @returns undefined when the mask cannot be read */
export function masked(json: unknown, fields: string): unknown {
  const mask = parseMask(fields)
  return mask === null ? undefined : applyMask(json, mask)
}

function parseMask(text: string): Mask | null {
  let at = 0
  const list = (): Mask | null => {
    const mask: Mask = new Map()
    for (;;) {
      const name = /^[\w@:-]+|^\*/.exec(text.slice(at))?.[0]
      if (name === undefined) return null
      at += name.length
      let under: Mask | null = null
      if (text[at] === '/') {
        at += 1
        const path = single()
        if (path === null) return null
        under = path
      } else if (text[at] === '(') {
        at += 1
        const inner = list()
        if (inner === null || text[at] !== ')') return null
        at += 1
        under = inner
      }
      join(mask, name, under)
      if (text[at] !== ',') return mask
      at += 1
    }
  }
  const single = (): Mask | null => {
    const from = text.slice(at)
    const name = /^[\w@:-]+|^\*/.exec(from)?.[0]
    if (name === undefined) return null
    at += name.length
    if (text[at] === '/') {
      at += 1
      const under = single()
      return under && new Map([[name, under]])
    }
    if (text[at] !== '(') return new Map([[name, null]])
    at += 1
    const inner = list()
    if (inner === null || text[at] !== ')') return null
    at += 1
    return new Map([[name, inner]])
  }
  const mask = list()
  return at === text.length ? mask : null
}

function join(mask: Mask, name: string, under: Mask | null): void {
  const before = mask.get(name)
  if (!mask.has(name) || under === null) mask.set(name, under)
  else if (before) for (const [key, value] of under) join(before, key, value)
}

function applyMask(json: unknown, mask: Mask): unknown {
  if (Array.isArray(json)) return json.map(one => applyMask(one, mask))
  if (typeof json !== 'object' || json === null) return json
  const all = mask.get('*')
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) => {
      const under = mask.has(key) ? mask.get(key) : all
      if (under === undefined) return []
      return [[key, under === null ? value : applyMask(value, under)]]
    }),
  )
}

/** One of the Graph API's `fields`: `media.limit(10).after(X){id,like_count}`. */
export interface GraphField {
  readonly name: string
  readonly args: ReadonlyMap<string, string>
  readonly under: readonly GraphField[]
}

/** @returns null when it cannot be read */
export function parseGraphFields(text: string): GraphField[] | null {
  let at = 0
  const list = (): GraphField[] | null => {
    const fields: GraphField[] = []
    for (;;) {
      const name = /^\s*(\w+)/.exec(text.slice(at))
      if (name === null) return null
      at += name[0].length
      const args = new Map<string, string>()
      for (;;) {
        const call = /^\.(\w+)\(([^()]*)\)/.exec(text.slice(at))
        if (call === null) break
        at += call[0].length
        args.set(call[1] ?? '', call[2] ?? '')
      }
      let under: GraphField[] = []
      if (text[at] === '{') {
        at += 1
        const inner = list()
        if (inner === null || text[at] !== '}') return null
        at += 1
        under = inner
      }
      fields.push({ name: name[1] ?? '', args, under })
      if (text[at] !== ',') return fields
      at += 1
    }
  }
  const fields = list()
  return at === text.length ? fields : null
}
