import type { Route } from '../http/route.ts'

/** Which credentials a route takes, in a sentence. `code` marks what is written as such. */
export function credentialText({ auth, scope }: Route, code: (text: string) => string): string {
  if (auth === 'open') return 'Open to everybody.'
  const kinds: string[] = []
  if (auth.includes('jwt')) kinds.push('an access token')
  if (auth.includes('apiKey')) kinds.push(scope === null ? 'any API key' : `an API key with the scope ${code(scope)}`)
  if (auth.includes('connectorToken')) kinds.push("an agent's connector token")
  return `Takes ${kinds.join(' or ')}.`
}
