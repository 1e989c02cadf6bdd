import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import pino from 'pino'
import { SMTPServer } from 'smtp-server'
import { describe, expect, it } from 'vitest'
import { logMailer } from './log-mailer.ts'
import { smtpMailer } from './smtp.ts'

interface Taken {
  user: string | undefined
  from: string
  to: string[]
  text: string
}

/** A mail server on loopback; `work` gets its address and what it has taken. */
async function withServer(work: (port: number, taken: Taken[]) => Promise<void>): Promise<void> {
  const taken: Taken[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) =>
      auth.password === 'pass word' ? done(null, { user: auth.username }) : done(new Error('No.')),
    onRcptTo: (address, _session, done) =>
      address.address.startsWith('refused') ? done(new Error('No such box.')) : done(),
    onData: async (stream, session, done) => {
      const { mailFrom, rcptTo } = session.envelope
      taken.push({
        user: session.user,
        from: mailFrom ? mailFrom.address : '',
        to: rcptTo.map(one => one.address),
        text: await textOf(stream),
      })
      done()
    },
  })
  server.on('error', () => undefined)
  const listener = server.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  try {
    await work(typeof address === 'object' && address ? address.port : 0, taken)
  } finally {
    await new Promise<void>(resolve => server.close(resolve))
  }
}

describe('mail over SMTP', () => {
  it('reaches its reader as plain text, from the sender that is set', () =>
    withServer(async (port, taken) => {
      const mailer = smtpMailer({
        url: `smtp://us%40er:pass%20word@127.0.0.1:${port}`,
        from: 'cliptape@tape.example',
      })
      await mailer.send({
        to: 'reader@example.com',
        subject: 'Grüße',
        text: 'A line\nhttps://tape.example/x?token=y\n',
      })
      await mailer.close()
      expect(taken).toHaveLength(1)
      expect(taken[0]).toMatchObject({ user: 'us@er', from: 'cliptape@tape.example', to: ['reader@example.com'] })
      expect(taken[0]?.text).toContain('Content-Type: text/plain; charset=utf-8')
      expect(taken[0]?.text).toContain('https://tape.example/x?token')
    }))

  it('goes to one reader, whatever is written into the address', () =>
    withServer(async (port, taken) => {
      const mailer = smtpMailer({ url: `smtp://127.0.0.1:${port}`, from: 'cliptape@tape.example' })
      const outcome = await mailer
        .send({
          to: 'a@example.com, b@example.com\r\nBcc: c@example.com',
          subject: 'x\r\nBcc: d@example.com',
          text: 'x',
        })
        .then(
          () => 'sent',
          () => 'refused',
        )
      await mailer.close()
      const readers = taken.flatMap(one => one.to)
      expect(readers.length).toBeLessThanOrEqual(1)
      expect(taken.map(one => one.text).join()).not.toMatch(/^bcc:/im)
      expect(['sent', 'refused']).toContain(outcome)
    }))

  it('says that the server did not take it, without what it would have said', () =>
    withServer(async port => {
      const wrong = smtpMailer({ url: `smtp://user:wrong@127.0.0.1:${port}`, from: 'cliptape@tape.example' })
      const mail = { to: 'reader@example.com', subject: 'x', text: 'x' }
      await expect(wrong.send(mail)).rejects.toMatchObject({ code: 'UNAVAILABLE', details: {} })
      await wrong.close()
      const mailer = smtpMailer({ url: `smtp://127.0.0.1:${port}`, from: 'cliptape@tape.example' })
      await expect(mailer.send({ ...mail, to: 'refused@example.com' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await mailer.close()
    }))

  it('says the same when nobody listens', async () => {
    const mailer = smtpMailer({ url: 'smtp://127.0.0.1:1', from: 'cliptape@tape.example' })
    const sent = mailer.send({ to: 'reader@example.com', subject: 'x', text: 'x' })
    await expect(sent).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await mailer.close()
  })
})

it('becomes the links in the log where there is no mail server', async () => {
  const lines = new PassThrough({ encoding: 'utf8' })
  const mailer = logMailer({ log: pino(lines) })
  await mailer.send({
    to: 'a@example.com',
    subject: 'Verify',
    text: 'Open\n\nhttp://127.0.0.1:4400/x?token=y\n\nor not.',
  })
  await mailer.close()
  expect(JSON.parse(String(lines.read()))).toMatchObject({
    to: 'a@example.com',
    subject: 'Verify',
    links: ['http://127.0.0.1:4400/x?token=y'],
  })
})
