import { w } from '../../i18n'
/* Positive: the mine's clock is behind, or its files are long on the way. */
export function offset(ms: number | null) {
  if (ms === null) return '—'
  const s = Math.abs(ms) / 1000, text = s < 90 ? s.toFixed(1) + ' s' : s < 5400 ? (s / 60).toFixed(1) + ' min' : (s / 3600).toFixed(1) + ' h'
  return s < 0.05 ? '0 s' : ms > 0 ? w('滞后 ', 'behind ') + text : w('超前 ', 'ahead ') + text
}
