import { describe, expect, it } from 'vitest'
import { ClientMessageSchema, liveQueries, ServerMessageSchema } from '../../contracts/ws.ts'
import { clientExamples, protocolPage, serverExamples } from './protocol-page.ts'

describe('the protocol page', () => {
  it('has an example of every message, and each is valid', () => {
    for (const { message } of clientExamples) expect(ClientMessageSchema.parse(message)).toEqual(message)
    for (const { message } of serverExamples) expect(ServerMessageSchema.parse(message)).toEqual(message)
    expect(typesOf(clientExamples)).toEqual(ClientMessageSchema.options.map(option => option.shape.type.value).sort())
    expect(typesOf(serverExamples)).toEqual(ServerMessageSchema.options.map(option => option.shape.type.value).sort())
  })

  it('lists every query', () => {
    const page = protocolPage()
    for (const name of Object.keys(liveQueries)) expect(page).toContain(`\n### ${name}\n`)
  })
})

function typesOf(examples: readonly { message: { type: string } }[]): string[] {
  return [...new Set(examples.map(({ message }) => message.type))].sort()
}
