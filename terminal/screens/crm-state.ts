import { type CrmPeriod, crmPeriods, type KpiName, kpiNames, type PostSort, postSorts } from '../../contracts/crm.ts'
import type { Command } from '../command/grammar.ts'
import { type ListState, listStart } from '../state/list-state.ts'
import { firstPage, type Pages } from '../state/pages.ts'

export const crmViews = ['overview', 'posts', 'times'] as const
export type CrmView = (typeof crmViews)[number]

export interface CrmState {
  view: CrmView
  period: CrmPeriod
  /** What the chart shows. */
  kpi: KpiName
  /** Only this account, by its id; null for all. */
  accountId: string | null
  accounts: ListState
  sort: PostSort
  posts: ListState
  pages: Pages
  timezone: string
  /** The hour of the week that has the focus, 0 to 167, Monday 0 o'clock first. */
  hour: number
}

/** The state that a command opens. Hours are those of this machine's time zone unless told. */
export function openCrm({ args }: Pick<Command, 'args'>): CrmState {
  return {
    view: crmViews.find(each => each === args.view) ?? 'overview',
    period: crmPeriods.find(each => each === args.period) ?? '7d',
    kpi: 'views',
    accountId: null,
    accounts: listStart,
    sort: 'newest',
    posts: listStart,
    pages: firstPage,
    timezone: args.tz ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
    hour: 0,
  }
}

/** To the left or right: the measure, the order of posts, or the hour. */
export function moveSideways(state: CrmState, by: 1 | -1): CrmState {
  switch (state.view) {
    case 'overview':
      return { ...state, kpi: step(kpiNames, state.kpi, by) }
    case 'posts':
      return sortPosts(state, by)
    case 'times':
      return moveHour(state, by)
  }
}

/** The next order of posts, from its first page. */
export function sortPosts(state: CrmState, by: 1 | -1): CrmState {
  return { ...state, sort: step(postSorts, state.sort, by), posts: listStart, pages: firstPage }
}

/** Another hour of the week, round its end. */
export function moveHour(state: CrmState, by: number): CrmState {
  return { ...state, hour: (((state.hour + by) % 168) + 168) % 168 }
}

/** The choice after or before one, round the end. */
export function step<T>(choices: readonly T[], current: T, by: 1 | -1): T {
  return choices[(choices.indexOf(current) + by + choices.length) % choices.length] ?? current
}
