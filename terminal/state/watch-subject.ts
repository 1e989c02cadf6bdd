import { z } from 'zod'
import type { Subject } from '../command/subject.ts'
import type { HttpClient } from '../net/http-client.ts'

const ListsSchema = z.object({ data: z.array(z.object({ id: z.string(), name: z.string() })) })
const ListSchema = z.object({ id: z.string(), name: z.string() })

/** The list that is begun for somebody who has none. */
const firstListName = 'Watchlist'

/**
 * Puts a subject on the list of that name (any letters' case), or without one on the first; a list that is not there is
 * begun.
 * @returns what happened, as a sentence
 */
export async function watchSubject(
  http: HttpClient,
  subject: Exclude<Subject, { type: 'search' }>,
  name: string | null,
): Promise<string> {
  if (subject.id.startsWith('own:')) return 'Media of your own has no numbers to watch.'
  const lists = await http.get('/api/watchlists', {})
  if (!lists.ok) return lists.message
  const known = ListsSchema.safeParse(lists.body).data?.data ?? []
  const list = name === null ? known[0] : known.find(each => each.name.toLowerCase() === name.toLowerCase())
  const made = list === undefined ? await http.post('/api/watchlists', { name: name ?? firstListName }) : null
  if (made?.ok === false) return made.message
  const into = list ?? ListSchema.safeParse(made?.body).data
  if (into === undefined) return "The server's answer was not understood: it may be of another version."
  const added = await http.post(`/api/watchlists/${into.id}/items`, { type: `${subject.type}s`, id: subject.id })
  return added.ok ? `On the list ${into.name}; WL shows it.` : added.message
}
