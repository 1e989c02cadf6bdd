import { type ScopeChoice, scopeChoices } from '../../contracts/platform-accounts.ts'
import { chosenIn, type FormSpec, type FormState, openForm } from '../state/form.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { type CredentialKind, platformTitles } from './credential-kinds.ts'
import { centredForm, type FormHead } from './form-place.ts'
import type { PlatformAccountRow } from './platform-resources.ts'
import { scopeTitle } from './scope-text.ts'
import type { ScreenView } from './screen.ts'

// Linking with fewer permissions than all: what a link cannot do without is asked for in any case.

/** The permissions that are being chosen, and for which account; null for whichever the browser is signed in as. */
export interface ScopeEntry {
  kind: CredentialKind
  accountId: string | null
  form: FormState
}

/** Everything is chosen at first; of an account that is linked again, what it has. */
export function openScopes(kind: CredentialKind, account: PlatformAccountRow | null): ScopeEntry {
  const optional = optionalOf(kind).map(({ scope }) => scope)
  const scopes = account === null ? optional : optional.filter(scope => account.scopes.includes(scope))
  return { kind, accountId: account?.id ?? null, form: openForm(scopeForm(kind), { chosen: { scopes } }) }
}

export function scopeForm(kind: CredentialKind): FormSpec {
  return {
    fields: [
      {
        kind: 'choice',
        name: 'scopes',
        label: 'Allow',
        isMultiple: true,
        options: optionalOf(kind).map(choice => ({ value: choice.scope, title: scopeTitle(choice) })),
      },
      { kind: 'button', name: 'link', label: 'Link' },
      { kind: 'button', name: 'cancel', label: 'Cancel' },
    ],
    submit: 'link',
  }
}

/** Which of the permissions that are not needed are to be asked for. */
export function chosenScopes(form: FormState): readonly string[] {
  return chosenIn(form, 'scopes')
}

export function placeScopes({ kind, form }: ScopeEntry, view: ScreenView): DrawnForm {
  const needed = scopeChoices[kind.kind].filter(choice => choice.isNeeded).map(scopeTitle)
  const head: FormHead[] = [
    { text: `Link an account of ${platformTitles[kind.platform]}: permissions`, role: 'title', isTitle: true },
    { text: `Asked for in any case: ${needed.join('; ')}.`, role: 'muted' },
    { text: 'Numbers whose permission is missing are shown as "scope" instead.', role: 'muted' },
  ]
  return centredForm(view, head, room => drawForm(scopeForm(kind), form, { ...room, style: view.style }))
}

function optionalOf({ kind }: CredentialKind): readonly ScopeChoice[] {
  return scopeChoices[kind].filter(choice => !choice.isNeeded)
}
