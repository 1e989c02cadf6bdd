import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPlatforms } from './clients.ts'
import { linkableAccounts } from './linkable-accounts.ts'
import { scriptedHost } from './scripted-host.ts'

let host: Awaited<ReturnType<typeof scriptedHost>>
beforeAll(async () => {
  host = await scriptedHost()
})
afterAll(() => host.close())

const access = { accessToken: 'EAAtoken' }
const pageOf = (id: string, username: string) => ({
  id: `61${id}`,
  instagram_business_account: { id, username, name: `The ${username}`, followers_count: 7 },
})

it('lists each account behind a person’s Pages once, also those that only businesses list', async () => {
  host.script(
    {
      json: { data: [pageOf('1', 'one'), { id: '619' }], paging: { cursors: { after: 'X' }, next: 'https://next' } },
    },
    { json: { data: [pageOf('2', 'two')] } },
    { json: { data: [{ id: '20', owned_pages: { data: [pageOf('2', 'two'), pageOf('3', 'three')] } }] } },
  )
  const accounts = await linkableAccounts(openPlatforms(host.deps).data('facebook_login'), access)
  expect(accounts).toMatchObject([
    { creatorId: '1', handle: 'one', name: 'The one', followers: 7n },
    { creatorId: '2', handle: 'two' },
    { creatorId: '3', handle: 'three' },
  ])
})

it('bears a platform that gives the same page for ever', async () => {
  const json = { data: [pageOf('1', 'one')], paging: { cursors: { after: 'X' }, next: 'https://next' } }
  host.script(...Array.from({ length: 30 }, () => ({ json })))
  const accounts = await linkableAccounts(openPlatforms(host.deps).data('facebook_login'), access)
  expect(accounts.map(account => account.creatorId)).toEqual(['1'])
  expect(host.requests).toHaveLength(2)
})

it('says what is missing when there is none', async () => {
  const none = { json: { data: [] } }
  host.script(none, none, none, none)
  await expect(linkableAccounts(openPlatforms(host.deps).data('facebook_login'), access)).rejects.toMatchObject({
    class: 'not_found',
    message: expect.stringContaining('Facebook Page'),
  })
})
