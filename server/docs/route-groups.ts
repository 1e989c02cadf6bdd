/** A chapter of the documentation: addresses that begin alike. */
export interface RouteGroup {
  readonly title: string
  readonly text: string
  readonly prefixes: readonly string[]
}

/** In the order of the documentation. The last one has what fits nowhere else. */
export const routeGroups: readonly RouteGroup[] = [
  {
    title: 'Numbers',
    text: 'What moves, and what is known of creators and videos.',
    prefixes: ['/api/analytics', '/api/creators', '/api/videos'],
  },
  {
    title: 'SQL',
    text: 'Questions of your own, asked once or saved, as [sql.md](sql.md) describes them.',
    prefixes: ['/api/query', '/api/queries'],
  },
  {
    title: 'For machines',
    text: 'The same numbers by API key, with entity tags. Names and forms here are kept.',
    prefixes: ['/ext-api/'],
  },
  { title: 'Signing in', text: 'Accounts, sessions and passwords.', prefixes: ['/api/auth', '/auth/'] },
  {
    title: 'Accounts on the platforms',
    text: 'Your own registration with each platform, the accounts that are linked with it, and how they do.',
    prefixes: [
      '/api/credentials',
      '/api/auth/link',
      '/api/auth/callback',
      '/auth/linked',
      '/link',
      '/api/accounts',
      '/api/quota',
      '/api/crm',
    ],
  },
  {
    title: 'Your account',
    text: 'What is kept of you, and what happened to it.',
    prefixes: ['/api/account', '/api/audit'],
  },
  {
    title: 'VODs, clips and media',
    text: 'Media of yours, what is cut out of it, and what is computed of it.',
    prefixes: ['/api/vods', '/api/uploads', '/api/clips', '/api/media'],
  },
  {
    title: 'Dashboards',
    text: 'Panels over live queries, as [dashboards.md](dashboards.md) describes them.',
    prefixes: ['/api/dashboards'],
  },
  { title: 'API keys', text: 'Credentials of machines.', prefixes: ['/api/keys'] },
  {
    title: 'Alerts and watchlists',
    text: 'Rules over measures and saved queries, and what somebody keeps an eye on.',
    prefixes: ['/api/alerts', '/api/watchlists'],
  },
  { title: 'Webhooks', text: 'Being told of events.', prefixes: ['/api/webhooks'] },
  {
    title: 'Plans and credits',
    text: 'What a plan allows and what was used of it.',
    prefixes: ['/api/plans', '/api/subscription', '/api/usage', '/api/credits'],
  },
  { title: 'Operations', text: 'What runs, and how.', prefixes: ['/api/ops'] },
  { title: 'The server', text: 'Who it is and whether it works.', prefixes: [''] },
]

/** The group with the longest prefix of this path. */
export function groupOf(path: string): RouteGroup {
  const length = ({ prefixes }: RouteGroup) =>
    Math.max(...prefixes.map(prefix => (path.startsWith(prefix) ? prefix.length : -1)))
  const group = routeGroups.reduce((best, one) => (length(one) > length(best) ? one : best))
  if (length(group) < 0) throw new Error(`No chapter of the documentation has ${path}.`)
  return group
}
