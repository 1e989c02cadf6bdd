import { createHash } from 'node:crypto'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;background:#14110c;color:#e8dcc4}
h1{font-size:1.2rem;color:#ffb000}label{display:block;margin:1rem 0}input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.5rem;background:#221d14;color:#e8dcc4;border:1px solid #4a3f2a}
button{font:inherit;padding:.5rem 1rem;background:#ffb000;color:#14110c;border:0}`

/**
 * For the pages that a mailed link opens: the one style sheet in them, a form to ourselves, no scripts. A browser names
 * its origin in a form only where it may name itself as the referrer, so that much is allowed.
 */
export const pageHeaders = {
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'Referrer-Policy': 'same-origin',
} as const

// The forms go to where their page lies: under a path of PUBLIC_URL too.

/** Opening a link must change nothing: programs that look through mails open every one. So the page asks once more. */
export function verifyPage(token: string): string {
  return page(
    'Verify your address',
    `<p>One more step: this shows that the address is yours.</p>
<form method="post" action="verify-email"><input type="hidden" name="token" value="${escaped(token)}">
<button>Verify this address</button></form>`,
  )
}

export function resetPage(token: string, mistake: string | null = null): string {
  return page(
    'Set another password',
    `${mistake === null ? '' : `<p role="alert">${escaped(mistake)}</p>`}
<form method="post" action="reset-password"><input type="hidden" name="token" value="${escaped(token)}">
<label>New password, at least 10 characters<input type="password" name="new_password" autocomplete="new-password" minlength="10" maxlength="200" required autofocus></label>
<button>Set this password</button></form>`,
  )
}

/** What became of it, in a sentence. */
export function outcomePage(title: string, sentence: string): string {
  return page(title, `<p>${escaped(sentence)}</p>`)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)} · Cliptape</title><style>${style}</style>
<h1>${escaped(title)}</h1>
${body}</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, found => `&#${found.charCodeAt(0)};`)
}
