import { reactive, ref } from 'vue'
import { lang, w } from './i18n'
export interface Alarm { id: string; mine: string; mine_name: string; point: string; location: string; unit: string; kind: string; kind_zh: string; level: string; state: string; state_zh: string; raised: string; cleared: string | null; last: string; peak: number | null; limit: number | null; labels: string[]; labels_en: string[]; count: number; group: string; note: string; note_en: string; acked: string | null; acked_by: string | null; cause: string | null; cause_note: string | null; caused_by: string | null; measure: string | null; measured_by: string | null; verified_by: string | null; closed_by: string | null; shelved_until: string | null; shelved_by: string | null; shelf_approver: string | null; shelf_reason: string | null; late: boolean; merged: string | null; judged: string }
export interface Me { user: string; role: string; area: string; rights: string[]; csrf: string }
export const me = ref<Me | null>(null)
export const online = ref(true)
export const now = ref(Date.now())
setInterval(() => (now.value = Date.now()), 1000)
export class Refused extends Error { constructor(message: string, public status: number) { super(message) } }
export async function call<R = any>(method: string, path: string, body?: object): Promise<R> {
  let r: Response
  try {
    r = await fetch('/api/v1' + path, { method, headers: body ? { 'Content-Type': 'application/json', 'X-CSRF': me.value?.csrf ?? '' } : {}, body: body ? JSON.stringify(body) : undefined })
  } catch { online.value = false; throw new Refused('offline', 0) }
  online.value = true
  const o = await r.json().catch(() => ({ error: r.statusText }))
  if (r.status === 401 && path !== '/login') me.value = null
  if (!r.ok) throw new Refused(o.error ?? r.statusText, r.status)
  return o as R
}
export const get = <R = any>(p: string) => call<R>('GET', p)
export const post = <R = any>(p: string, b: object = {}) => call<R>('POST', p, b)
export const can = (right: string) => !!me.value?.rights.includes(right)
export const alarms = reactive(new Map<string, Alarm>())
/* The list is as of when it was asked for; an alarm whose event came since is left as the event told it. */
const loads = new Set<Set<string>>()
export async function loadAlarms() {
  const told = new Set<string>()
  loads.add(told)
  try {
    const list = (await get<{ alarms: Alarm[] }>('/alarms?active=1&limit=2000')).alarms, there = new Set(list.map(a => a.id))
    for (const id of [...alarms.keys()]) if (!there.has(id) && !told.has(id)) alarms.delete(id)
    for (const a of list) if (!told.has(a.id)) alarms.set(a.id, a)
  } finally { loads.delete(told) }
}
/* An alarm found in late data may have taken others into itself: the list is read anew. */
export function take(a: Alarm) {
  for (const told of loads) told.add(a.id)
  if (a.state === 'closed' || a.merged) alarms.delete(a.id); else alarms.set(a.id, a)
  if (a.late) loadAlarms().catch(() => {})
}
let stream: EventSource | null = null
export function listen() {
  stream?.close()
  stream = new EventSource('/api/v1/events')
  stream.addEventListener('hello', () => { online.value = true; loadAlarms().catch(() => {}) })
  stream.addEventListener('alarm', e => take(JSON.parse((e as MessageEvent).data)))
  stream.onerror = () => { online.value = false; if (stream?.readyState === 2 && me.value) setTimeout(listen, 3000) }
}
export function unlisten() { stream?.close(); stream = null }
export const time = (s: string | null) => (s ? s.slice(0, 19).replace('T', ' ') : '—')
export const clock = (s: string | null) => (s ? s.slice(5, 19).replace('T', ' ') : '—')
export function span(ms: number) {
  const s = Math.max(0, Math.floor(ms / 1000)), n = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60], found = n.findIndex(x => x), at = found < 0 ? 3 : found
  const unit = [w('天', 'd'), w('小时', 'h'), w('分', 'min'), w('秒', 's')]
  return n.slice(at, at + 2).map((x, i) => x + unit[at + i]).join(lang.value ? ' ' : '')
}
export const num = (v: number | null | undefined, unit = '') => (v === null || v === undefined ? '—' : `${v} ${unit}`.trim())
