import { EmailSchema, NewPasswordSchema, type SignInOptions, SignInOptionsSchema } from '../../contracts/accounts.ts'
import type { FunctionName } from '../command/functions.ts'
import type { GoogleAttempt } from '../net/account.ts'
import type { HttpResult } from '../net/http-client.ts'
import type { ReadResource, ResourceQuery } from '../net/resource-client.ts'
import {
  actInForm,
  type Field,
  type FormSpec,
  type FormState,
  hasMasked,
  openForm,
  schemaCheck,
  spokenField,
  textIn,
  withProblem,
} from '../state/form.ts'
import { type DrawnForm, drawForm } from '../widgets/form.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

// Signing in to a remote server. While nobody is, this screen stands alone: the session shows it by itself and takes it away
// when somebody has signed in. What was typed stays through every failure and from one form to the other.

type Mode = 'login' | 'register' | 'forgot' | 'google'

interface LoginState {
  mode: Mode
  form: FormState
  /** What may be offered, once the server has said it. */
  canRegister: boolean
  googleClientId: string | null
  /** A sentence above the form. */
  notice: string
  google: GoogleAttempt | null
}

const optionsQuery: ResourceQuery<SignInOptions> = {
  path: '/api/auth/options',
  query: {},
  schema: SignInOptionsSchema,
  everyMs: 10_000,
  isOpen: true,
}

export const loginFactory = signInFactory('LOGIN', 'login')
export const registerFactory = signInFactory('REGISTER', 'register')

function signInFactory(fn: FunctionName, mode: Mode) {
  return screenFactory<LoginState>({
    fn,
    contexts: [],
    open: () =>
      withMode({ mode, form: emptyForm, canRegister: true, googleClientId: null, notice: '', google: null }, mode),
    title: state => titles[state.mode],
    queries: () => [],
    resources: () => [optionsQuery],
    isTyping: () => true,
    hasSecret: state => hasMasked(specOf(state)),
    cursor: (state, view) => place(state, view).cursor,
    spoken: state => [state.notice, spokenField(specOf(state), state.form)].filter(text => text !== '').join(' '),
    draw: (state, view) => place(state, view).lines,
    act: (before, call, deps) => act(withOptions(before, deps.resource), call, deps),
  })
}

const titles = {
  login: 'LOGIN',
  register: 'REGISTER',
  forgot: 'LOGIN FORGOTTEN PASSWORD',
  google: 'LOGIN GOOGLE',
} as const

const email: Field = {
  kind: 'text',
  name: 'email',
  label: 'E-mail',
  hint: 'you@example.com',
  lengthMax: 254,
  check: schemaCheck('The address', EmailSchema),
}
const password: Field = {
  kind: 'text',
  name: 'password',
  label: 'Password',
  isMasked: true,
  check: text => (text === '' ? 'Type your password.' : null),
}
const newPassword: Field = {
  ...password,
  hint: 'at least 10 characters',
  check: schemaCheck('The password', NewPasswordSchema),
}
const again: Field = {
  kind: 'text',
  name: 'again',
  label: 'Once more',
  isMasked: true,
  check: (text, state) => (text === textIn(state, 'password') ? null : 'The two passwords are not the same.'),
}
const address: Field = {
  kind: 'text',
  name: 'address',
  label: 'Address',
  hint: 'http://127.0.0.1:…',
  lengthMax: 4096,
  check: text => (text.trim() === '' ? 'Paste the address that the browser ended on.' : null),
}
const button = (name: string, label: string): Field => ({ kind: 'button', name, label })

function specOf({
  mode,
  canRegister,
  googleClientId,
}: Pick<LoginState, 'mode' | 'canRegister' | 'googleClientId'>): FormSpec {
  const google = googleClientId === null ? [] : [button('google', 'Google')]
  switch (mode) {
    case 'login': {
      const register = canRegister ? [button('register', 'New account')] : []
      const fields = [
        email,
        password,
        button('signIn', 'Sign in'),
        ...google,
        ...register,
        button('forgot', 'Forgotten password'),
      ]
      return { fields, submit: 'signIn' }
    }
    case 'register':
      return {
        fields: [email, newPassword, again, button('create', 'Create the account'), ...google, button('login', 'Back')],
        submit: 'create',
      }
    case 'forgot':
      return { fields: [email, button('send', 'Send the mail'), button('login', 'Back')], submit: 'send' }
    case 'google':
      return {
        fields: [address, button('take', 'Use this address'), button('copy', 'Copy the link'), button('login', 'Back')],
        submit: 'take',
      }
  }
}

const emptyForm: FormState = openForm({ fields: [], submit: '' })

/** Another form with what was typed into this one. */
function withMode(state: LoginState, mode: Mode, notice = ''): LoginState {
  if (mode !== 'google') state.google?.cancel()
  const next = { ...state, mode, notice, google: mode === 'google' ? state.google : null }
  const texts = Object.fromEntries(Object.entries(state.form.texts).map(([name, line]) => [name, line.text]))
  const form = openForm(specOf(next), { texts })
  return { ...next, form: { ...form, texts: { ...state.form.texts, ...form.texts } } }
}

/** What the server offers. A button more or less must not move the focus to another one. */
function withOptions(state: LoginState, resource: ReadResource): LoginState {
  const { body } = resource(optionsQuery)
  if (body === null) return state
  if (body.registration === state.canRegister && body.googleClientId === state.googleClientId) return state
  const next = { ...state, canRegister: body.registration, googleClientId: body.googleClientId }
  const focused = specOf(state).fields[state.form.at.field]?.name
  const field = Math.max(
    0,
    specOf(next).fields.findIndex(each => each.name === focused),
  )
  return { ...next, form: { ...state.form, at: { field, option: 0 } } }
}

function place(before: LoginState, view: ScreenView): DrawnForm {
  const state = withOptions(before, view.resource)
  return centredForm(view, headOf(state, view), room =>
    drawForm(specOf(state), state.form, { ...room, style: view.style }),
  )
}

function headOf(state: LoginState, view: ScreenView): FormHead[] {
  const options = view.resource(optionsQuery)
  const heads = {
    login: 'Sign in to',
    register: 'Create an account on',
    forgot: 'Set another password on',
    google: 'Sign in through Google to',
  } as const
  const head: FormHead[] = [{ text: `${heads[state.mode]} ${view.serverUrl}`, role: 'title', isTitle: true }]
  if (isPlain(view.serverUrl))
    head.push({ text: '! The way to this server is not encrypted (http): others may read the password.', role: 'warn' })
  if (options.status === 'error') head.push({ text: `! ${options.message}`, role: 'error' })
  if (state.mode === 'register' && !state.canRegister)
    head.push({ text: 'This server takes no new accounts.', role: 'warn' })
  if (state.notice !== '') head.push({ text: state.notice, role: 'good' })
  if (state.mode === 'google' && state.google !== null) head.push(...googleHead(state.google))
  return head
}

function googleHead({ isBrowserOpen, url }: GoogleAttempt): FormHead[] {
  const text = isBrowserOpen
    ? 'Your browser has been opened: go on there, this screen follows by itself. If it shows nothing, open this link:'
    : 'There is no browser here. Open this link in one (Copy the link), then paste the address it ends on, even if that page does not load:'
  return [
    { text, role: 'muted' },
    { text: url, role: 'accent', hasWords: false },
  ]
}

/** Whether a password would cross a network in the clear. */
function isPlain(serverUrl: string): boolean {
  if (!URL.canParse(serverUrl)) return false
  const { protocol, hostname } = new URL(serverUrl)
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

function act(state: LoginState, call: ActionCall, deps: ScreenDeps): LoginState | null {
  if (call.name === 'answer' && call.answer !== undefined) return answered(state, call.answer, deps)
  if (call.name === 'form.cancel') {
    if (state.mode !== 'login') return withMode(state, 'login')
    deps.say('Ctrl-C twice quits.')
    return state
  }
  if (call.name === 'pointer.press') {
    const pressed = pressInForm(specOf(state), state.form, call, place(state, deps))
    return pressed === null ? state : act({ ...state, form: pressed.form }, pressed.call, deps)
  }
  const acted = actInForm(specOf(state), state.form, call)
  if (acted === null) return null
  const next = { ...state, form: acted.state }
  return acted.pressed === null ? next : pressed(next, acted.pressed, deps)
}

function pressed(state: LoginState, name: string, deps: ScreenDeps): LoginState {
  const { form } = state
  const { account } = deps
  if (account === null) return { ...state, form: withProblem(form, 'This terminal belongs to its own server.') }
  const credentials = { email: textIn(form, 'email').trim(), password: textIn(form, 'password') }
  const busy = { ...state, notice: '', form: { ...form, isBusy: true } }
  switch (name) {
    case 'signIn':
      deps.ask('signIn', account.signIn(credentials))
      return busy
    case 'create':
      deps.ask('create', account.register(credentials))
      return busy
    case 'send':
      deps.ask('send', account.forgotPassword(credentials.email))
      return busy
    case 'google':
      if (state.googleClientId === null) return state
      deps.ask('googleStarted', starting(account.google(state.googleClientId)))
      return busy
    case 'take': {
      const problem = state.google?.paste(textIn(form, 'address')) ?? null
      return { ...state, form: problem === null ? { ...form, isBusy: true } : withProblem(form, problem, 'address') }
    }
    case 'copy':
      if (state.google !== null) deps.copy(state.google.url, 'the link')
      return state
    case 'register':
    case 'forgot':
    case 'login':
      return withMode(state, name)
    default:
      return state
  }
}

/** An attempt as an answer; the listener on the loopback may fail. */
async function starting(attempt: Promise<GoogleAttempt>): Promise<HttpResult> {
  try {
    return { ok: true, body: await attempt }
  } catch {
    return { ok: false, message: 'No port of this machine could be opened for the browser.', status: 0, code: '' }
  }
}

function answered(state: LoginState, { tag, result }: NonNullable<ActionCall['answer']>, deps: ScreenDeps): LoginState {
  // One that was left for another form says nothing there.
  if (tag === 'google' && state.mode !== 'google') return state
  if (!result.ok) {
    const back = tag === 'google' ? withMode(state, 'login') : state
    return { ...back, form: withProblem(back.form, result.message) }
  }
  if (tag === 'send') {
    const notice = `If there is an account for ${textIn(state.form, 'email').trim()}, a mail with a link is on its way.`
    return withMode({ ...state, form: withProblem(state.form, null) }, 'login', notice)
  }
  if (tag === 'googleStarted' && isAttempt(result.body)) {
    deps.ask('google', result.body.done)
    return withMode({ ...state, form: withProblem(state.form, null), google: result.body }, 'google')
  }
  return state
}

/** What `starting` put into its answer. */
function isAttempt(body: unknown): body is GoogleAttempt {
  return typeof body === 'object' && body !== null && 'done' in body
}
