import { SavedQuerySchema } from '../../contracts/queries.ts'
import type { HttpResult } from '../net/http-client.ts'
import { listStart } from '../state/list-state.ts'
import { isNumberType } from '../widgets/grid.ts'
import type { ScreenDeps } from './screen.ts'
import { openSaveForm, withSaved } from './sql-forms.ts'
import { withOtherText } from './sql-picker.ts'
import { savedQueryPath, sqlLineFields } from './sql-resources.ts'
import { type SqlState, sourceOf } from './sql-state.ts'

/** The form that saves. What a draft belonged to before a restart is asked for first. */
export function askToSave(state: SqlState, deps: ScreenDeps): SqlState {
  const { savedQueryId } = deps.desk.draft()
  if (state.saved !== null || savedQueryId === null) return openSaveForm(state, deps, false)
  deps.ask('known', deps.http.get(savedQueryPath(savedQueryId), {}, { lineFields: sqlLineFields }))
  return state
}

/** Copies the command that opens the query for others. */
export function shareSaved(state: SqlState, deps: ScreenDeps): SqlState {
  const { saved } = state
  if (saved === null) deps.say('Save the query first: then u copies the command that opens it.')
  else {
    deps.copy(
      `SQL ${saved.id}`,
      saved.visibility === 'private' ? 'the command; only you may see it: s changes that' : 'the command that opens it',
    )
  }
  return state
}

/** Opens the form of an alert on the saved query, and on the selected column where it has numbers. */
export function alertOnSaved(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.saved === null) {
    deps.say('Save the query first: an alert watches a saved query.')
    return state
  }
  const column = sourceOf(state, deps)?.columns[state.grid.column]
  const isNamed = column !== undefined && isNumberType(column.type) && !column.name.includes('"')
  const named = isNamed ? ` COLUMN="${column.name}"` : ''
  deps.run(`ALRT NEW QUERY=${state.saved.id}${named}`)
  return state
}

/** The versions, for whoever owns the query. */
export function openVersions(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.saved?.isOwn === true) return { ...state, panel: { kind: 'versions', list: listStart }, completion: null }
  deps.say(
    state.saved === null
      ? 'This text was not saved yet: it has no versions.'
      : 'Versions are for whoever owns the query.',
  )
  return state
}

/** Deletes the saved query at the second press. */
export function deleteSaved(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.saved?.isOwn !== true) {
    deps.say(state.saved === null ? 'This text was not saved.' : 'Only its owner can delete this query.')
    return state
  }
  if (!state.isDeleting) return { ...state, isDeleting: true }
  deps.ask('delete', deps.http.delete(savedQueryPath(state.saved.id)))
  return { ...state, isDeleting: false }
}

/** The query that a draft belonged to, before it is saved; without it the draft is a new one. */
export function knownAnswer(state: SqlState, result: HttpResult, deps: ScreenDeps): SqlState {
  const saved = result.ok ? SavedQuerySchema.safeParse(result.body).data : undefined
  return openSaveForm(saved === undefined ? state : withSaved(state, saved, deps), deps, false)
}

/** What came of deleting. */
export function deletedAnswer(state: SqlState, result: HttpResult, deps: ScreenDeps): SqlState {
  deps.refresh('/api/queries')
  deps.say(result.ok ? 'The saved query is deleted; its text stays here.' : result.message)
  return result.ok ? withSaved(state, null, deps) : state
}

/** The text of the version that was restored. */
export function restoredAnswer(state: SqlState, result: HttpResult, deps: ScreenDeps): SqlState {
  const saved = result.ok ? SavedQuerySchema.safeParse(result.body).data : undefined
  if (saved === undefined) {
    deps.say(result.ok ? "The server's answer was not understood." : result.message)
    return state
  }
  deps.refresh('/api/queries')
  deps.say(`Restored as version ${saved.version}.`)
  return { ...withOtherText(state, saved.sql, saved, deps), zone: 'grid' }
}
