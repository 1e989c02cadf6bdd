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
    prefixes: ['/api/analytics', '/api/creators', '/api/videos', '/api/query'],
  },
  {
    title: 'For machines',
    text: 'The same numbers by API key, with entity tags. Names and forms here are kept.',
    prefixes: ['/ext-api/'],
  },
  { title: 'Signing in', text: 'Accounts, sessions and passwords.', prefixes: ['/api/auth', '/auth/'] },
  {
    title: 'Your account',
    text: 'What is kept of you, and what happened to it.',
    prefixes: ['/api/account', '/api/audit'],
  },
  { title: 'API keys', text: 'Credentials of machines.', prefixes: ['/api/keys'] },
  { title: 'Webhooks', text: 'Being told of events.', prefixes: ['/api/webhooks'] },
  {
    title: 'Plans and credits',
    text: 'What a plan allows and what was used of it.',
    prefixes: ['/api/plans', '/api/subscription', '/api/usage', '/api/credits'],
  },
  { title: 'Operations', text: 'What runs, and how.', prefixes: ['/api/ops'] },
  { title: 'The server', text: 'Who it is and whether it works.', prefixes: [''] },
]

/** The first group with a prefix of this path. */
export function groupOf(path: string): RouteGroup {
  const group = routeGroups.find(({ prefixes }) => prefixes.some(prefix => path.startsWith(prefix)))
  if (!group) throw new Error(`No chapter of the documentation has ${path}.`)
  return group
}
