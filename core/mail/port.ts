/** A message in plain text. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Sends mail: over SMTP where it is configured, else into the log of the embedded profile. */
export interface Mailer {
  /** Resolves when a mail server has taken it. @throws AppError UNAVAILABLE */
  send(mail: Mail): Promise<void>
  close(): Promise<void>
}
