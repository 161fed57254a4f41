// The same records over the API with everything of zhiben.db in PostgreSQL.
import { hasPostgres } from '../lib.mjs'
if (!hasPostgres) { console.log('no PostgreSQL 15 here'); process.exit(77) }
process.env.DB = 'postgres'
await import('./ledger.mjs')
