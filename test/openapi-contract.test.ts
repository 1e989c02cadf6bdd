import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openapiDocument } from '../server/openapi.ts'
import { allRoutes } from '../server/routes.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { type FilledAccount, fillAccount, filledVodId } from './fill-account.ts'
import { fixedAuthenticator } from './fixed-authenticator.ts'
import { DocumentSchema, type Operation, offenceOf, operationsOf, validatorOf } from './openapi-operations.ts'
import { allowedRequests, hostileRequests, onTheWire, type RequestParts, textOf } from './openapi-requests.ts'
import { type RawAnswer, type RawClient, rawClient } from './raw-http.ts'
import { openServerRig, rigNow, type ServerRig } from './server-rig.ts'

// The document is the promise: what it allows is taken, what it does not is refused in its form, and every answer is as it
// says. Requests are generated from it with a fixed seed.

const token = 'token-of-the-contract'
const seed = 20_260_131
const allowedCount = 5
const hostileCount = 9

const document = openapiDocument(allRoutes, '1.2.3')
/** What removes something comes last; what signs in after what registers, as in the document. */
const operations = operationsOf(document).sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'))

let rig: ServerRig
let account: FilledAccount
let server: RunningServer
let client: RawClient

beforeAll(async () => {
  rig = await openServerRig()
  account = await fillAccount(rig, 'contract@example.com')
  // Its plan has room for as many calls of machines in a minute as this test makes.
  await rig.db.system.updateTable('users').set({ plan: 'pro' }).where('id', '=', account.userId).execute()
  await rig.write([
    { platform: 'youtube', videoId: 'v1', creatorId: 'c1', observedAtMs: rigNow.getTime() - 90_000_000, views: 10 },
    { platform: 'youtube', videoId: 'v1', creatorId: 'c1', observedAtMs: rigNow.getTime() - 60_000, views: 500 },
  ])
  server = await startServer(
    {
      ...(await rig.deps()),
      auth: fixedAuthenticator({ token, userId: account.userId }),
      settings: { rateLimits: { perAddress: 1e6, perUser: 1e6, perKey: 1e6 } },
    },
    { host: '127.0.0.1', port: 0 },
  )
  client = rawClient(server.port)
})
afterAll(async () => {
  client.close()
  await server.close(1000)
  await rig.close()
})

/** Operations that their example alone does not make succeed, and why. */
const needMore: Readonly<Record<string, string>> = {
  postApiAuthRefresh: 'a refresh token',
  postApiAuthLogout: 'a session of its own',
  postApiAuthPassword: 'a password that somebody knows',
  postApiAuthPasswordReset: 'a mailed link',
  postApiAuthVerifyEmail: 'a mailed link',
  postAuthVerifyEmail: 'a mailed link',
  postAuthResetPassword: 'a mailed link',
  getApiAuthLinkPlatform: 'a ticket',
  getLink: 'a ticket',
  getApiAuthCallbackPlatform: 'a link under way',
  postApiAuthLinkPlatformComplete: 'a link under way',
  deleteApiAccount: 'a fresh session',
  postApiVods: 'media',
  deleteApiUploadsUploadId: 'an upload that did not go with its VOD',
  postApiVodsVodIdSource: 'media',
  postApiClipsRequest: 'media',
  postApiMediaEstimate: 'media',
  postApiMediaJobs: 'media',
  getApiMediaFilesFileId: 'a link',
  putApiWatchlistsWatchlistId: 'a name that no other list has',
  putApiQueriesQueryId: 'a name that no other query has',
  deleteApiWatchlistsWatchlistIdItems: 'a row of the list',
}

const idsOfPaths: Readonly<Record<string, (of: FilledAccount) => string>> = {
  creatorId: () => 'youtube:c1',
  videoId: () => 'youtube:v1',
  keyId: of => of.ids.key,
  accountId: of => of.ids.account,
  linkId: of => of.ids.link,
  webhookId: of => of.ids.webhook,
  deliveryId: of => of.ids.delivery,
  vodId: of => filledVodId(of.ids),
  uploadId: of => of.ids.upload,
  jobId: of => of.ids.mediaJob,
  requestId: of => of.ids.clip,
  fileId: of => of.ids.output,
  dashboardId: of => of.ids.dashboard,
  alertId: of => of.ids.alert,
  queryId: of => of.ids.query,
  watchlistId: of => of.ids.watchlist,
}

function send(operation: Operation, parts: RequestParts): Promise<RawAnswer> {
  const headers = operation.isOpen ? {} : { authorization: `Bearer ${token}` }
  return client.send(onTheWire(operation, parts, headers))
}

/** So many of these requests, at once. */
function sendAll(operation: Operation, requests: fc.Arbitrary<RequestParts>, count: number) {
  const sample = fc.sample(requests, { seed, numRuns: count })
  return Promise.all(sample.map(async parts => ({ parts, answer: await send(operation, parts) })))
}

/** Whether the schemas that validate would take it: refinements say more than a document can. */
function isTaken(operation: Operation, parts: RequestParts): boolean {
  const route = allRoutes.find(
    ({ method, path }) =>
      method.toUpperCase() === operation.method && path.replace(/:(\w+)/g, '{$1}') === operation.path,
  )
  const texts = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, textOf(value).toWellFormed()]))
  const checks = [
    [route?.params, texts(parts.params)],
    [route?.query, texts(parts.query)],
    [route?.body, parts.body ?? (route?.isBodyOptional ? {} : undefined)],
  ] as const
  const isQueryDeclared = route?.query !== null || Object.keys(parts.query).length === 0
  return isQueryDeclared && checks.every(([schema, value]) => !schema || schema.safeParse(value).success)
}

describe('the document', () => {
  it('is whole: every route, once, by a name of its own', () => {
    const { paths, tags, components } = DocumentSchema.parse(document)
    const listed = operations.map(({ method, path }) => `${method} ${path}`)
    expect(listed.sort()).toEqual(
      allRoutes.map(route => `${route.method.toUpperCase()} ${route.path.replace(/:(\w+)/g, '{$1}')}`).sort(),
    )
    expect(new Set(operations.map(one => one.operationId)).size).toBe(operations.length)
    for (const [path, methods] of Object.entries(paths)) {
      for (const operation of Object.values(methods)) {
        expect(tags.map(tag => tag.name)).toEqual(expect.arrayContaining(operation.tags))
        const named = operation.parameters.filter(one => one.in === 'path').map(one => one.name)
        expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(match => match[1]))
        for (const scheme of operation.security.flatMap(one => Object.keys(one))) {
          expect(Object.keys(components.securitySchemes)).toContain(scheme)
        }
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '403', '429', '500', '503']))
        if (operation.security.length > 0) expect(Object.keys(operation.responses)).toContain('401')
      }
    }
  })

  it('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(match => match[1] ?? '')
    for (const path of new Set(refs)) {
      const found = path.split('/').reduce<unknown>((node, key) => Object(node)[key], document)
      expect([path, found]).not.toEqual([path, undefined])
    }
  })

  it('has examples that its own schemas take', () => {
    const compile = validatorOf(document)
    for (const { operationId, body, parameters } of operations) {
      if (body) expect([operationId, compile(body.schema)(body.example)]).toEqual([operationId, true])
      for (const { name, schema, example } of parameters) {
        if (example !== undefined) {
          expect([operationId, name, compile(schema)(example)]).toEqual([operationId, name, true])
        }
      }
    }
  })

  it('is what the server gives out', async () => {
    const response = await fetch(`${server.url}/openapi.json`)
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)))
  })
})

describe.each(operations.map(operation => [operation.operationId, operation] as const))('%s', (name, operation) => {
  it('answers what the document allows as the document says', async () => {
    const example: RequestParts = {
      params: Object.fromEntries(
        operation.parameters
          .filter(one => one.in === 'path')
          .map(one => [one.name, idsOfPaths[one.name]?.(account) ?? one.example]),
      ),
      query: Object.fromEntries(
        operation.parameters.filter(one => one.in === 'query' && one.required).map(one => [one.name, one.example]),
      ),
      body: operation.body?.isRequired ? operation.body.example : undefined,
    }
    const first = await send(operation, example)
    expect(offenceOf(operation, first)).toBeNull()
    const isDone = first.status < 300 || first.status === 501
    expect([first.status, first.text.slice(0, 300), isDone]).toEqual([
      first.status,
      first.text.slice(0, 300),
      !(name in needMore),
    ])

    for (const { parts, answer } of await sendAll(operation, allowedRequests(operation), allowedCount)) {
      expect([parts, offenceOf(operation, answer)]).toEqual([parts, null])
      expect([parts, answer.text, [500, 503].includes(answer.status)]).toEqual([parts, answer.text, false])
      if (!isTaken(operation, parts)) expect([parts, answer.status]).toEqual([parts, 400])
    }
  })

  it('refuses what is wrong in the form of every error', async () => {
    for (const { parts, answer } of await sendAll(operation, hostileRequests(operation), hostileCount)) {
      const isElsewhere = Object.values(parts.params).some(value => textOf(value) === '')
      expect([parts, answer.text, [500, 503].includes(answer.status)]).toEqual([parts, answer.text, false])
      // An empty part of a path is another address.
      if (isElsewhere) continue
      expect([parts, offenceOf(operation, answer)]).toEqual([parts, null])
      if (!isTaken(operation, parts)) {
        expect([parts, answer.status >= 400 && answer.status < 500]).toEqual([parts, true])
      }
    }
  })
})
