import type { PlanLimits } from '../../contracts/billing.ts'
import { plans } from '../features/billing/plans.ts'

/** What each limit means, in the order of the page. */
const limitRows: readonly (readonly [keyof PlanLimits, string])[] = [
  ['downloadsPerMonth', 'Downloads a month'],
  ['apiCallsPerMinute', 'API calls a minute, of all your keys together'],
  ['liveQueries', 'Live queries open at a time'],
  ['creditsPerMonth', 'Credits a month'],
  ['storageBytes', 'Bytes that clips and other results may take'],
  ['resultDays', 'Days that they are kept'],
  ['premiumIndicators', 'Premium indicators'],
  ['alerts', 'Alerts'],
  ['querySeconds', 'Seconds that a SQL query may run'],
  ['queryMemoryBytes', 'Bytes of memory that it may use'],
  ['queryRowsRead', 'Rows that it may read'],
  ['queryRows', 'Rows that it may give'],
  ['queriesAtOnce', 'SQL queries at a time'],
]

/** `docs/billing.md`: the plans with their limits, and how credits work. */
export function billingPage(): string {
  const rows = limitRows.map(
    ([name, title]) => `| ${title} | ${plans.map(plan => cell(plan.limits[name])).join(' | ')} |`,
  )
  const prices = plans.map(plan => priceText(plan.priceUsdCents)).join(' | ')
  return `# Plans and credits

Made from \`server/features/billing/plans.ts\`.

| | ${plans.map(plan => plan.title).join(' | ')} |
| --- | ${plans.map(() => '---').join(' | ')} |
${rows.join('\n')}
| Price a month | ${prices} |

The owner of a home that runs on one machine (\`npm start\`) has no limits but those of SQL queries: what is used is written down all the same.

- Payment is not connected yet: choosing a plan that costs something is answered with 501 \`NOT_CONFIGURED\`, and changes nothing. Admins give themselves any plan with \`POST /api/subscription\`.
- Monthly limits count from the day on which a subscription began, without one by the calendar month (UTC). Calls count by the minute of the clock.
- Live queries are counted by the server that a client is connected to.
- A change of plan reaches every server within five seconds.

## Credits

Credits pay for work that costs us by the piece. \`GET /api/credits\` lists every line, newest first; lines are only ever added.

| entry | what it does |
| --- | --- |
| \`grant\` | Adds credits: those of the plan each month, which end with it, and others. |
| \`reserve\` | Sets credits aside when work begins. Without enough of them the work is refused: 403 \`INSUFFICIENT_CREDITS\`. |
| \`capture\` | Spends what the work cost, at most what was set aside. |
| \`release\` | Gives back what the work did not need, or all of it when it failed. |
| \`expire\` | Takes back what was left of a grant when it ended. |

- \`available\` is what may be spent, \`reserved\` what is set aside. Neither is ever below zero.
- The grant that ends first is spent first. What work gives back goes to the grant that it came from, and ends with it.
- Each line has a key: the same request twice is done once.
`
}

function cell(limit: number | boolean | null): string {
  if (limit === null) return 'no limit'
  if (typeof limit === 'boolean') return limit ? 'yes' : 'no'
  return limit.toLocaleString('en-US')
}

function priceText(cents: number | null): string {
  if (cents === null) return 'not set yet'
  return cents === 0 ? '0' : `$${(cents / 100).toFixed(2)}`
}
