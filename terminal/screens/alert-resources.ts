import { z } from 'zod'
import { AlertSchema, FiringSchema } from '../../contracts/alerts.ts'
import type { ResourceQuery } from '../net/resource-client.ts'
import { type Pages, pageQuery } from '../state/pages.ts'

// What ALRT and the header ask the server for. Rows get the `key` that tables go by once, when they come in.

const KeyedAlert = AlertSchema.transform(row => ({ ...row, key: row.id }))
export type AlertRow = z.output<typeof KeyedAlert>
const AlertsPage = z.object({ data: z.array(KeyedAlert), limit: z.number() })

/** Every alert with its state; asked again when one fires. */
export const alertsResource: ResourceQuery<z.output<typeof AlertsPage>> = {
  path: '/api/alerts',
  query: {},
  schema: AlertsPage,
  everyMs: 20_000,
}

const KeyedFiring = FiringSchema.transform(row => ({ ...row, key: row.id }))
export type FiringListRow = z.output<typeof KeyedFiring>
const FiringsPage = z.object({ data: z.array(KeyedFiring), nextCursor: z.string().optional() })

/** A page of what fired, the newest first: of one alert, or of all. */
export function firingsResource(alertId: string | null, pages: Pages): ResourceQuery<z.output<typeof FiringsPage>> {
  return {
    path: alertId === null ? '/api/alerts/firings' : `/api/alerts/${alertId}/firings`,
    query: { limit: '50', ...pageQuery(pages) },
    schema: FiringsPage,
    everyMs: 15_000,
  }
}
