import { ref } from 'vue'
/* Chinese first, English complete: a key without both does not type-check. */
const T = {
  title: ['治本 · 矿山安全监管', 'Zhiben · mine safety supervision'], alarms: ['报警台', 'Alarm desk'], mines: ['矿井', 'Mines'], health: ['联网状况', 'Feeds'], journal: ['日志', 'Journal'],
  login: ['登录', 'Log in'], logout: ['退出', 'Log out'], user: ['用户名', 'User'], password: ['密码', 'Password'], language: ['English', '中文'], theme: ['明暗', 'Theme'],
  lost: ['与服务器的连接已断开，正在重连…画面可能不是最新', 'Connection lost, trying again… what you see may be old'],
  none_alarms: ['当前没有未关闭的报警。新报警会自动出现在这里，不需要刷新。', 'No open alarms. New ones appear here by themselves.'],
  none_mines: ['还没有矿井上传过数据。用“zhiben token DIR add 矿井编码”发放上传令牌，或把文件放进 drop 目录。', 'No mine has sent anything yet. Make an upload token with “zhiben token DIR add MINE”, or put files into the drop folder.'],
  none_points: ['该矿尚未上传测点定义（CDDY）。', 'This mine has not sent its point definitions (CDDY) yet.'], none_people: ['没有收到人员实时数据（RYSS）。', 'No people data (RYSS) received.'],
  none_refused: ['没有被拒收的文件。', 'No refused files.'], none_data: ['这段时间没有数据。', 'No data in this time.'],
  what: ['内容', 'What'], value: ['数值', 'Value'], limit: ['限值', 'Limit'], peak: ['峰值', 'Peak'], since: ['开始', 'Since'], lasted: ['持续', 'Lasted'], ended: ['解除', 'Ended'], lasting: ['仍在持续', 'still lasting'], state: ['状态', 'State'], note: ['说明', 'Note'],
  ack: ['确认', 'Acknowledge'], cause: ['查因', 'Cause'], measure: ['处置', 'Measure'], verify: ['核实', 'Verify'], close: ['关闭', 'Close'], shelve: ['搁置', 'Shelve'], save: ['保存', 'Save'], cancel: ['取消', 'Cancel'],
  choose_cause: ['选择原因（必填）', 'Choose the cause (required)'], remark: ['备注', 'Note'], measure_hint: ['采取了什么措施（必填）', 'What was done (required)'], minutes: ['时长（分钟）', 'Minutes'], reason: ['理由', 'Reason'], approver: ['批准人', 'Approved by'],
  below: ['井下人员', 'People below'], last_seen: ['到达该处时刻', 'There since'], area: ['区域', 'Area'], name: ['姓名', 'Name'], trade: ['工种', 'Trade'], leader: ['矿领导', 'leader'], people: ['人', 'people'],
  done_so_far: ['已办', 'Done so far'], by: ['由', 'by'], labels: ['标记', 'Labels'], times: ['次', 'times'], help: ['快捷键：j/k 上下，a 确认，c 查因，m 处置，? 帮助', 'Keys: j/k move, a acknowledge, c cause, m measure, ? help'],
  mine: ['矿井', 'Mine'], region: ['县区', 'County'], points: ['测点', 'Points'], last_heard: ['最后收到', 'Last heard'], point: ['测点', 'Point'], location: ['位置', 'Location'], type: ['类型', 'Type'], time: ['时间', 'Time'], chart: ['曲线', 'Chart'],
  silent: ['中断', 'silent'], filter: ['筛选', 'Filter'], all: ['全部', 'All'], red: ['红', 'Red'], orange: ['橙', 'Orange'], yellow: ['黄', 'Yellow'], blue: ['蓝', 'Blue'],
  file: ['文件', 'File'], received: ['收到', 'Received'], delay: ['延迟', 'Delay'], files: ['文件数', 'Files'], records: ['记录数', 'Records'], refused: ['拒收', 'Refused'], duplicates: ['重复', 'Duplicates'], late: ['迟到', 'Late'],
  queue: ['队列', 'Queue'], lag: ['滞后', 'Lag'], disk: ['磁盘剩余', 'Disk free'], disk_warn: ['磁盘将满', 'filling up'], disk_refuse: ['磁盘已满，暂停接收上传', 'full: uploads wait'], policy: ['政策版本', 'Policy'], refused_files: ['拒收文件与原因', 'Refused files and why'], stray: ['无法归属的文件', 'Files of no mine'], trouble: ['存储故障', 'Storage trouble'], ratio: ['压缩', 'Packed'],
  who: ['谁', 'Who'], subject: ['对象', 'Subject'], body: ['详情', 'Details'], more: ['更早', 'Older'], h1: ['1小时', '1 h'], h8: ['8小时', '8 h'], h24: ['24小时', '24 h'], d7: ['7天', '7 d'], unit: ['单位', 'Unit'], source: ['依据', 'Source'],
  need_right: ['没有权限', 'not your right'], not_now: ['当前状态不可用', 'not possible in this state'], must_end: ['报警仍在持续，不能关闭', 'still lasting: cannot be closed'], back: ['返回', 'Back'], bucket_band: ['最小–最大', 'min–max'], last: ['末值', 'last'], raised_state: ['待确认', 'To acknowledge'],
  late_found: ['迟到数据补判', 'found in late data'], judged_at: ['补判时间', 'judged at'],
  group: ['同因', 'same cause'], unacked: ['未确认', 'unacknowledged'], standing: ['在报', 'standing'], flood: ['报警洪水', 'Alarm flood'], shelved: ['已搁置至', 'shelved until'], loading: ['载入中…', 'Loading…'], states: ['状态条', 'States'], gas: ['瓦斯等级', 'Gas class'],
  ledgers: ['台账', 'Ledgers'], none_ledgers: ['您的角色没有台账。', 'Your role has no ledgers.'], new_record: ['新建', 'New'], search: ['全文检索', 'Search'], overdue: ['超期', 'overdue'], clear: ['清除', 'Clear'], save_filter: ['保存筛选', 'Keep filter'], filter_name: ['筛选名称', 'Name of the filter'],
  import: ['导入', 'Import'], import_help: ['选择 XLSX 或 CSV 文件，首行为列名。先试算，不写入；确认后再导入。', 'Choose an XLSX or CSV file with headings in its first row. It is tried first without keeping anything.'], dry_run: ['试算结果', 'What would be'], imported: ['已导入', 'Imported'], rows: ['行数', 'rows'], made: ['新增', 'new'], changed: ['修改', 'changed'], unchanged: ['未变', 'unchanged'], ignored: ['未使用的列', 'Columns not used'], sheet: ['工作表', 'Sheet'], line: ['行', 'Row'], column: ['列', 'Column'], import_now: ['确认导入', 'Import now'],
  none_records: ['没有符合条件的记录。可以清除筛选，或点“新建”登记第一条。', 'No records here. Clear the filter, or make the first with “New”.'], number: ['编号', 'Number'], open_it: ['打开', 'open'], due: ['期限', 'Due'], total: ['共', 'Total'], more_rows: ['继续加载', 'More'], required: ['必填', 'required'], choose_record: ['输入名称，从列表中选择', 'Type a name and choose from the list'],
  edit: ['修改', 'Edit'], saved: ['已保存', 'Saved'], waiting_cosign: ['已签名，等待另一名人员办理', 'Signed; another officer must do it too'], offline_draft: ['连接中断，内容已保存在本机草稿，恢复后再提交', 'Connection lost; what you typed is kept on this device'], merged: ['已载入最新版本，您填写的内容保留在表单中，请核对后再提交', 'The newest version is loaded; what you typed is still in the form'], reload_keep: ['载入最新并保留我填的内容', 'Load the newest, keep what I typed'],
  draft_restored: ['已恢复未提交的草稿', 'Your draft is back'], officers: ['须办理人数', 'Officers needed'], sign_password: ['输入密码签名', 'Your password, to sign'], sign_send: ['签名提交', 'Sign and send'], clocks: ['时限', 'Clocks'], none_clocks: ['没有运行中的时限。', 'No clock runs.'], first_due: ['最初期限', 'first due'], files_attached: ['附件', 'Files'], linked: ['关联记录', 'Linked records'], history: ['历史', 'History'], as_of: ['查看某日状态', 'As of'], show_history: ['显示全部版本', 'Show every version'],
  unseal: ['查看', 'Open'], unseal_why: ['查看封存内容的理由（记入日志）', 'Why do you need it? (journalled)'], notices: ['通知', 'Notices'], none_notices: ['没有通知。', 'No notices.'], duty: ['值班表', 'Roster'], none_duty: ['未来七天没有排班：红色报警将无人接听。用“zhiben duty DIR add”或接口录入。', 'Nobody is on the roster of the next seven days: a red alarm would reach nobody. Enter it with “zhiben duty DIR add”.'], make_hazard: ['登记为重大隐患', 'Register as major hazard'],
} as const
export type Key = keyof typeof T
export const lang = ref(localStorage.getItem('lang') === 'en' ? 1 : 0)
export const t = (k: Key) => T[k][lang.value]
/* Words of one page only stand there, Chinese first. */
export const w = (zh: string, en: string) => (lang.value ? en : zh)
export const named = (x: { zh?: string; en?: string } | null | undefined) => (x ? (lang.value ? x.en || x.zh : x.zh || x.en) ?? '' : '')
/* Units as the policy writes them; counting words have no English. */
const UNITS: [string, string][] = [['人', 'people'], ['天', 'd'], ['月', 'months'], ['分', 'points'], ['元', 'yuan'], ['万元', '10,000 yuan'], ['万m3', '10,000 m³'], ['次', 'times'], ['人次', 'times'], ['钩', 'hoists']]
export const unitName = (u: string) => (!lang.value || !/[\u4e00-\u9fff]/.test(u) ? u : UNITS.find(x => x[0] === u)?.[1] ?? '')
export function setLang(n: number) { lang.value = n; localStorage.setItem('lang', n ? 'en' : 'zh'); document.documentElement.lang = n ? 'en' : 'zh-CN' }
const KIND_EN: Record<string, string> = { 'over-limit': 'Over limit', 'under-limit': 'Under limit', cut: 'Power cut', 'over-range': 'Over range', feed: 'Feed check failed', calibration: 'Calibration', masked: 'Masked point', fault: 'Sensor fault', station: 'Outstation', 'point-silent': 'Point silent', 'mine-late': 'Upload late', 'mine-silent': 'Mine off line', 'lax-limit': 'Limit too lax', reported: 'Reported by mine', rate: 'Changes too fast', state: 'Abnormal state', rain: 'Rain warning', joint: 'Joint warning', 'over-time': 'Underground too long', 'over-people': 'Too many people', restricted: 'In a restricted area', call: 'Call for help', seal: 'Electronic seal', video: 'Video anomaly', vehicle: 'Vehicle', warning: 'Early warning' }
const STATE_EN: Record<string, string> = { raised: 'unacknowledged', acked: 'acknowledged', caused: 'cause known', measured: 'measure taken', verified: 'verified', closed: 'closed' }
export const kindName = (a: { kind: string; kind_zh: string }) => (lang.value ? KIND_EN[a.kind] ?? a.kind : a.kind_zh)
export const stateName = (a: { state: string; state_zh: string }) => (lang.value ? STATE_EN[a.state] ?? a.state : a.state_zh)
const BITS: [number, string, string][] = [[1, '报警', 'alarm'], [2, '断电', 'cut'], [4, '标校', 'calibration'], [8, '超量程', 'over range'], [16, '分站故障', 'outstation'], [32, '不巡检', 'not polled'], [64, '暂停', 'paused'], [128, '故障', 'fault'], [256, '无值', 'no value'], [512, '时间超前', 'future']]
export const stateWords = (s: number) => BITS.filter(b => s & b[0]).map(b => b[1 + lang.value] as string).join(' ')
