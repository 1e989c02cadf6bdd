import { type ScopeChoice, scopeChoices } from '../../contracts/platform-accounts.ts'

/** A permission as the platform's page shows it, behind what it opens. */
export function scopeTitle({ scope, opens }: ScopeChoice): string {
  return `${opens} (${scopeName(scope)})`
}

/** What is missing with these permissions, and which they are; empty when none is. */
export function lackingText(missingScopes: readonly string[]): string {
  const choices = Object.values(scopeChoices).flat()
  return missingScopes
    .map(scope => {
      const opens = choices.find(each => each.scope === scope)?.opens
      return `${opens === undefined ? '' : `No ${opens}: `}${scopeName(scope)} was not granted.`
    })
    .join(' ')
}

/** Google's names are addresses: the last part says it. */
function scopeName(scope: string): string {
  return scope.slice(scope.lastIndexOf('/') + 1)
}
