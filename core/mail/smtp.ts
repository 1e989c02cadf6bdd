import { createTransport } from 'nodemailer'
import { AppError } from '../../contracts/errors.ts'
import type { Mailer } from './port.ts'

const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 } as const
/** Mails that leave at once; the others wait their turn. */
const connectionsMax = 3

/**
 * Sends over SMTP. `smtps://` speaks TLS from the start, `smtp://` takes it up when the server offers it.
 * @param options.url with user and password where the server wants them
 * @param options.from the sender's address
 */
export function smtpMailer(options: { url: string; from: string }): Mailer {
  const transport = createTransport({
    ...connectionOf(options.url),
    ...timeouts,
    pool: true,
    maxConnections: connectionsMax,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send({ to, subject, text }) {
      try {
        // An object: a text would be read as a list of addresses.
        await transport.sendMail({ from: options.from, to: { name: '', address: to }, subject, text })
      } catch (error) {
        throw new AppError('UNAVAILABLE', 'The mail server did not take the mail: try again in a moment.', {
          cause: withoutWords(error),
        })
      }
    },
    async close() {
      transport.close()
    },
  }
}

/** The library's error quotes the server, and what a server says may repeat the password or the mail: codes alone are kept. */
function withoutWords(error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const answered = error instanceof Error && 'responseCode' in error ? `, answered ${String(error.responseCode)}` : ''
  return new Error(`Sending over SMTP failed: ${code}${answered}.`)
}

function connectionOf(address: string) {
  const url = new URL(address)
  const isTls = url.protocol === 'smtps:'
  const user = decodeURIComponent(url.username)
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 465 : 587) : Number(url.port),
    secure: isTls,
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
  }
}
