import { z } from 'zod'

/** Accounts and sessions: `/api/auth/*`. Field names are those of the given API. */

/** Kept as written; compared without case. */
export const EmailSchema = z.email('must be an e-mail address').max(254)

/** Any characters, 10 to 200 of them: length is what makes a password strong. */
export const NewPasswordSchema = z
  .string()
  .min(10, 'must have at least 10 characters')
  .max(200, 'must have at most 200 characters')

const GivenPasswordSchema = z.string().min(1).max(200)

export const RegisterRequestSchema = z.strictObject({ email: EmailSchema, password: NewPasswordSchema })
export type RegisterRequest = z.infer<typeof RegisterRequestSchema>

export const LoginRequestSchema = z.strictObject({ email: EmailSchema, password: GivenPasswordSchema })
export type LoginRequest = z.infer<typeof LoginRequestSchema>

export const RefreshRequestSchema = z.strictObject({ refresh_token: z.string().min(1).max(200) })

/** `access_token` is a Google ID token: the field's given name. */
export const GoogleSignInRequestSchema = z.strictObject({
  access_token: z.string().min(1).max(8192),
  nonce: z.string().min(1).max(200).optional(),
})

/**
 * What the browser came back with to a program on the user's own machine (RFC 8252): the server, which has the client's
 * secret, exchanges the code. `redirect_uri` is the loopback address that was named when the code was asked for.
 */
export const GoogleExchangeRequestSchema = z.strictObject({
  code: z.string().min(1).max(2048),
  code_verifier: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must be a PKCE verifier: 43 to 128 unreserved characters'),
  redirect_uri: z
    .string()
    .max(200)
    .regex(
      /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?(\/[\w/.-]*)?$/,
      'must be a loopback address such as http://127.0.0.1:53682/',
    ),
  nonce: z.string().min(1).max(200).optional(),
})
export type GoogleExchangeRequest = z.infer<typeof GoogleExchangeRequestSchema>

export const PasswordChangeRequestSchema = z.strictObject({
  current_password: GivenPasswordSchema,
  new_password: NewPasswordSchema,
})

export const EmailOnlyRequestSchema = z.strictObject({ email: EmailSchema })

/** `token` is that of a link sent by mail. */
export const VerifyEmailRequestSchema = z.strictObject({ token: z.string().min(1).max(2048) })
export const PasswordResetRequestSchema = z.strictObject({
  token: z.string().min(1).max(2048),
  new_password: NewPasswordSchema,
})

/** The answer to registering, signing in and refreshing. `expires_in` is of the access token, in seconds. */
export const SessionSchema = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.number().int(),
  user: z.object({ id: z.uuid(), email: z.string() }),
})
export type Session = z.infer<typeof SessionSchema>

export const roles = ['owner', 'user', 'admin'] as const
export const planNames = ['free', 'pro', 'premium'] as const
export type PlanName = (typeof planNames)[number]

/** The owner of an embedded home has no e-mail address. */
export const UserSchema = z.object({
  id: z.uuid(),
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  role: z.enum(roles),
  subscription_level: z.enum(planNames),
  createdAt: z.iso.datetime(),
})
export type User = z.infer<typeof UserSchema>

/** What the operator gives somebody: the local owner's own role is not given away. */
export const GivenRoleSchema = z.enum(['user', 'admin'])
export type GivenRole = z.infer<typeof GivenRoleSchema>

/** What a sign-in screen may offer. `googleClientId` is null where Google is not configured. */
export const SignInOptionsSchema = z.object({
  registration: z.boolean(),
  googleClientId: z.string().nullable(),
})
export type SignInOptions = z.infer<typeof SignInOptionsSchema>
