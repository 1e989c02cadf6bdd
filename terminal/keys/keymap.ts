import { type Action, type ActionContext, type ActionName, actionContexts, actions, findAction } from './actions.ts'

/** A user's own keys: action name → keys that replace its default ones; an empty list leaves it without a key. */
export type KeyOverrides = Readonly<Record<string, readonly string[]>>

/** Which key does what. */
export interface Keymap {
  /** The action of a key in these contexts, the first one first; null when it has none. */
  find(key: string, contexts: readonly ActionContext[]): ActionName | null
  /** The keys of an action now. */
  keysOf(name: ActionName): readonly string[]
  /** What is wrong with the overrides, as sentences: unknown actions, keys that two actions want. The first action keeps the key. */
  problems: readonly string[]
}

const keyPattern = /^(C-)?(M-)?(S-)?(\S|[a-z]{2,9}|f\d{1,2})$/u

/** Builds the keymap from the default keys and a user's overrides. Never throws: problems are reported and left out. */
export function createKeymap(overrides: KeyOverrides = {}): Keymap {
  const problems: string[] = []
  const keysOf = new Map<string, readonly string[]>(actions.map(action => [action.name, action.keys]))
  for (const [name, keys] of Object.entries(overrides)) {
    const action = findAction(name)
    if (action === null || action.isInternal) problems.push(`There is no action ${name}; see docs/keys.md.`)
    else
      keysOf.set(
        name,
        keys.filter(key => checkKey(key, name, problems)),
      )
  }
  const byContext = new Map<ActionContext, Map<string, ActionName>>(actionContexts.map(each => [each, new Map()]))
  // A user's own key wins over a default one, so overridden actions take their keys first.
  const order = [...actions].sort((a, b) => Number(b.name in overrides) - Number(a.name in overrides))
  for (const action of order) bind(action, keysOf.get(action.name) ?? [], { byContext, problems, overrides })
  return {
    problems,
    keysOf: name => keysOf.get(name) ?? [],
    find(key, contexts) {
      for (const context of contexts) {
        const name = byContext.get(context)?.get(key)
        if (name !== undefined) return name
      }
      return null
    },
  }
}

function bind(
  action: Action & { name: ActionName },
  keys: readonly string[],
  into: { byContext: Map<ActionContext, Map<string, ActionName>>; problems: string[]; overrides: KeyOverrides },
): void {
  for (const key of keys) {
    const taken = rivals(action.context)
      .map(context => into.byContext.get(context)?.get(key))
      .find(name => name !== undefined)
    if (taken === undefined) into.byContext.get(action.context)?.set(key, action.name)
    else if (taken in into.overrides || action.name in into.overrides)
      into.problems.push(`The key ${key} is wanted by ${taken} and ${action.name}: ${taken} has it.`)
  }
}

/** Where a text is typed: these have keys of their own, before all others. */
const typingContexts: readonly ActionContext[] = ['form', 'input', 'editor']

/** Contexts in which a key cannot mean two things: its own, and `global` beside every screen's. */
function rivals(context: ActionContext): readonly ActionContext[] {
  if (typingContexts.includes(context)) return [context]
  return context === 'global' ? actionContexts.filter(each => !typingContexts.includes(each)) : ['global', context]
}

function checkKey(key: string, action: string, problems: string[]): boolean {
  if (keyPattern.test(key)) return true
  problems.push(`${JSON.stringify(key)} is no name of a key (for ${action}): write it like j, C-p, M-1, S-tab or f1.`)
  return false
}

/** Pairs of default actions that want one key where both hold: must be none. */
export function defaultConflicts(): string[] {
  return actions.flatMap((action, i) =>
    actions
      .slice(i + 1)
      .filter(other => rivals(action.context).includes(other.context) || rivals(other.context).includes(action.context))
      .flatMap(other => {
        const shared: string[] = action.keys.filter(key => (other.keys as readonly string[]).includes(key))
        return shared.map(key => `${key}: ${action.name}, ${other.name}`)
      }),
  )
}
