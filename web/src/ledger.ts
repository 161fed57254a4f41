import { ref } from 'vue'
import { get, me } from './api'
import { lang } from './i18n'
export interface Named { key: string; zh: string; en: string }
export interface Field extends Named { type: string; unit: string; help: [string, string]; required: boolean; filter: boolean; derived: boolean; min: number | null; max: number | null; max_bytes: number; to: string; of: Named[] }
export interface Act extends Named { to: string; needs: string[]; asks: string[]; signed: boolean; why: boolean; officers: number }
export interface Sub extends Named { fields: Field[] }
export interface Ledger extends Named { id: string; source: string; title: string; search: boolean; read_only: boolean; can_new: boolean; can_import: boolean; can_unseal: boolean; columns: string[]; fields: Field[]; subs: Sub[]; states: (Named & { open: boolean; edit: boolean })[]; acts: Act[] }
export const ledgers = ref<Ledger[] | null>(null)
export async function loadLedgers() { if (!me.value?.rights.some(r => r === 'ledger.use' || r === '*')) ledgers.value = []; else ledgers.value = (await get<{ ledgers: Ledger[] }>('/ledgers')).ledgers }
export const ledger = (k: string) => ledgers.value?.find(l => l.key === k)
export const nm = (n?: Named | null) => (n ? (lang.value ? n.en : n.zh) : '')
export const stateOf = (l: Ledger, k: string) => nm(l.states.find(s => s.key === k)) || k
/* A value as a person reads it; r is the record or its values, where a reference has its name beside it. */
export function show(f: Field, r: Record<string, any>): string {
  const v = r[f.key]
  if (v === null || v === undefined || v === '') return '—'
  if (f.type === 'ref') return r[f.key + '_name'] || String(v)
  if (f.type === 'enum') return nm(f.of.find(o => o.key === v)) || v
  if (f.type === 'set') return String(v).split(' ').map(k => nm(f.of.find(o => o.key === k)) || k).join(lang.value ? ', ' : '、')
  if (f.type === 'bool') return v ? (lang.value ? 'yes' : '是') : lang.value ? 'no' : '否'
  if (f.type === 'time') return String(v).slice(0, 16).replace('T', ' ')
  return f.unit && f.unit !== '%' ? `${v} ${f.unit}` : f.unit ? `${v}${f.unit}` : String(v)
}
/* What would be refused, told at once; '' when it is good. The server judges again. */
export function check(f: Field, v: string): string {
  const en = lang.value
  if (!v) return ''
  if ((f.type === 'num' && !/^-?\d+(\.\d+)?$/.test(v)) || (f.type === 'int' && !/^-?\d+$/.test(v))) return en ? 'a number such as 12.5' : '请填数字，如 12.5'
  if ((f.type === 'num' || f.type === 'int') && ((f.min !== null && +v < f.min) || (f.max !== null && +v > f.max))) return `${f.min ?? ''} – ${f.max ?? ''}`
  if (f.max_bytes && new TextEncoder().encode(v).length > f.max_bytes) return en ? 'too long' : '内容过长'
  return ''
}
const store = (k: string) => `zb:${me.value?.user}:${k}`
export const keep = (k: string, v: unknown) => { try { v === null ? localStorage.removeItem(store(k)) : localStorage.setItem(store(k), JSON.stringify(v)) } catch { /* private mode: no drafts */ } }
export const kept = <T>(k: string): T | null => { try { return JSON.parse(localStorage.getItem(store(k)) ?? 'null') } catch { return null } }
