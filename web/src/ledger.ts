import { ref } from 'vue'
import { get, me } from './api'
import { lang, named, unitName } from './i18n'
export interface Named { key: string; zh: string; en: string }
export interface Item extends Named { from?: string; to?: string; edition?: string; edition_en?: string; cite?: string; heading?: string; thresholds?: string; kinds?: string }
export interface Field extends Named { list_day?: string; list_of?: string; type: string; unit: string; help: [string, string]; required: boolean; filter: boolean; derived: boolean; min: number | null; max: number | null; max_bytes: number; to: string; of: Item[] }
export interface Act extends Named { to: string; needs: string[]; asks: string[]; signed: boolean; why: boolean; officers: number }
export interface Sub extends Named { fields: Field[] }
export interface Ledger extends Named { id: string; source: string; title: string; search: boolean; read_only: boolean; can_new: boolean; can_import: boolean; can_unseal: boolean; columns: string[]; fields: Field[]; subs: Sub[]; states: (Named & { open: boolean; edit: boolean })[]; acts: Act[] }
export const ledgers = ref<Ledger[] | null>(null)
export async function loadLedgers() { if (!regions.value.length) regions.value = (await get('/regions').catch(() => ({ regions: [] }))).regions; if (!me.value?.rights.some(r => r === 'ledger.use' || r === '*')) ledgers.value = []; else ledgers.value = (await get<{ ledgers: Ledger[] }>('/ledgers')).ledgers }
/* Divisions and lists of the policy, each asked for once. */
export const regions = ref<{ code: string; name: string; en: string }[]>([])
export const regionName = (code: string) => { const r = regions.value.find(x => x.code === code || x.code === code + '00' || x.code === code + '0000' || x.name === code); return r ? (lang.value ? r.en || r.name : r.name) : code }
const lists = ref<Record<string, Item[]>>({})
export function words(list: string): Item[] {
  if (!lists.value[list]) { lists.value[list] = []; get(`/lists/${list}`).then(o => (lists.value[list] = o.items)).catch(() => {}) }
  return lists.value[list]
}
/* Keys with blanks between, as the list names them. */
export const said = (list: string, keys: string) => (keys || '').split(' ').filter(Boolean).map(k => named(words(list).find(x => x.key === k)) || k).join(lang.value ? ', ' : '、')
export interface Screen extends Named { help_zh: string; help_en: string; ledger: string; where: string; sort: string; n: number; overdue: number }
export const screens = ref<(Named & { screens: Screen[] })[] | null>(null)
export async function loadScreens() { screens.value = (await get('/screens')).groups }
export const ledger = (k: string) => ledgers.value?.find(l => l.key === k)
export const nm = (n?: Named | null) => (n ? (lang.value ? n.en : n.zh) : '')
export const stateOf = (l: Ledger, k: string) => nm(l.states.find(s => s.key === k)) || k
/* A value as a person reads it; r is the record or its values, where a reference has its name beside it. */
export function show(f: Field, r: Record<string, any>): string {
  const v = r[f.key]
  if (v === null || v === undefined || v === '') return '—'
  if (f.type === 'ref') return r[f.key + '_name'] || String(v)
  if (f.type === 'enum') { const o = f.of.find(x => x.key === v); return o ? nm(o) + (o.edition && r[f.key + '_name'] ? (lang.value ? ` (${o.key}, ${o.edition_en})` : `（${o.key}，${o.edition}${o.cite ?? ''}）`) : '') : v }
  if (f.type === 'set') return String(v).split(' ').map(k => nm(f.of.find(o => o.key === k)) || k).join(lang.value ? ', ' : '、')
  if (f.type === 'region') return regionName(String(v))
  if (f.type === 'bool') return v ? (lang.value ? 'yes' : '是') : lang.value ? 'no' : '否'
  if (f.type === 'time') return String(v).slice(0, 16).replace('T', ' ')
  return f.unit && f.unit !== '%' ? `${v} ${unitName(f.unit)}`.trim() : f.unit ? `${v}${f.unit}` : String(v)
}
/* The items of a list that were in force on a day for a kind ('' any), under their headings. */
export function offered(of: Item[], day: string, kind = ''): [string, Item[]][] {
  const groups = new Map<string, Item[]>()
  for (const o of of) {
    if ((o.from && day < o.from) || (o.to && day > o.to) || (kind && o.kinds && !o.kinds.split(' ').includes(kind))) continue
    const g = [lang.value ? o.edition_en : o.edition, o.heading].filter(Boolean).join(' · ')
    groups.set(g, [...(groups.get(g) ?? []), o])
  }
  return [...groups]
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
/* A new record begun elsewhere with what is known there; an older draft of such a record gives way. */
export function prefill(ledger: string, values: Record<string, string>) { keep(`draft:${ledger}:new:new`, null); keep('prefill:' + ledger, values); location.hash = `#/record/${ledger}/new` }
