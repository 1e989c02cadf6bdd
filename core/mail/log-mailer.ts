import type { Log } from '../log.ts'
import type { Mailer } from './port.ts'

/**
 * For a home without a mail server, whose log only its owner reads: a mail becomes a line with the links that are in it,
 * and nothing else of its text.
 */
export function logMailer(options: { log: Log }): Mailer {
  return {
    async send({ to, subject, text }) {
      const links = text.match(/https?:\/\/\S+/g) ?? []
      options.log.info({ to, subject, links }, 'There is no SMTP_URL: the links of a mail, instead of the mail.')
    },
    async close() {},
  }
}
