/** What one process can do. In the embedded profile one process does all of it. */
export const roles = ['http', 'ws', 'ingest', 'jobs', 'scheduler'] as const
export type Role = (typeof roles)[number]

export function isRole(name: string): name is Role {
  return roles.some(role => role === name)
}
