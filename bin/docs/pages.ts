import { apiPage } from '../../server/docs/api-page.ts'
import { billingPage } from '../../server/docs/billing-page.ts'
import { errorsPage } from '../../server/docs/errors-page.ts'
import { protocolPage } from '../../server/docs/protocol-page.ts'
import { allRoutes } from '../../server/routes.ts'
import { envExample, envPage } from './env.ts'
import { keysPage } from './keys.ts'
import { sqlPage } from './sql.ts'

/** The files that are made from code, by path under the package. A test fails when one is not as the code makes it. */
export const generatedPages: Readonly<Record<string, () => string>> = {
  '.env.example': envExample,
  'docs/api.md': () => apiPage(allRoutes),
  'docs/billing.md': billingPage,
  'docs/env.md': envPage,
  'docs/errors.md': errorsPage,
  'docs/keys.md': keysPage,
  'docs/protocol.md': protocolPage,
  'docs/sql.md': sqlPage,
}
