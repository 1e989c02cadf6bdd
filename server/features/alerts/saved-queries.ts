import type { ServerDeps } from '../../deps.ts'
import { filledQuery, findSavedQuery } from '../queries/service.ts'
import { type QueryDeps, runQuery } from '../query/service.ts'
import type { SavedQueries } from './read-rule.ts'

/** The parameter that stands for the instant at which an alert looks; any type of instants will do. */
const instantParameter = 'now'

/** Saved queries as alerts read them: by whoever made the alert, within their plan's limits. */
export function savedQueriesOf(deps: QueryDeps & Pick<ServerDeps, 'db'>): SavedQueries {
  return {
    async run({ userId, queryId, params, at, rowsMax, signal }) {
      const query = await findSavedQuery(deps, userId, queryId)
      const isTimed = query.parameters.some(({ name }) => name === instantParameter)
      const filled = filledQuery(query, { ...params, ...(isTimed ? { [instantParameter]: at.toISOString() } : {}) })
      const answer = await runQuery(deps, { ...filled, userId, tag: 'alert', signal }, { rowsMax })
      return { columns: answer.columns.map(({ name }) => name), rows: answer.rows }
    },
    async hasInstant(userId, queryId) {
      const query = await findSavedQuery(deps, userId, queryId)
      return query.parameters.some(({ name }) => name === instantParameter)
    },
  }
}
