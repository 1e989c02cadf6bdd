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
      } catch (cause) {
        throw new AppError('UNAVAILABLE', 'The mail server did not take the mail: try again in a moment.', { cause })
      }
    },
    async close() {
      transport.close()
    },
  }
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
