/** Every sentence of the console, in both languages, side by side. `{name}` is filled in; numbers as the language writes them. */

import { say as sayOfApp, spoken } from "../app/words.js";
import { decided } from "./denials.js";

/** @type {Record<string, [string, string]>} */
const WORDS = {
  // Signing in
  "console": ["Operator's console", "运营控制台"],
  "not for callers": ["This account is neither an operator's nor an auditor's.", "此账号既不是运营者也不是审计者。"],
  "session over": ["Your session has ended", "会话已结束"],
  "session over why": ["Nothing that you had not finished was done. Sign in to go on where you were.", "尚未完成的操作均未执行。登录后可从原处继续。"],
  "operator": ["Operator", "运营者"],
  "auditor": ["Auditor: reads all, changes nothing", "审计者：可查看全部，不可更改"],
  "server gone": ["The server does not answer. What you see may be old.", "服务器无响应，所见内容可能已过时。"],
  "menu": ["Menu", "菜单"],
  "cancel": ["Cancel", "取消"],
  "more rows": ["Older", "更早"],
  "csv": ["CSV", "CSV"],
  "all": ["All", "全部"],
  "none": ["None", "无"],
  "now": ["now", "现在"],
  "unknown": ["unknown", "未知"],
  // Places
  "overview": ["Overview", "总览"],
  "permits": ["Permits", "许可证"],
  "switches": ["Switches", "开关"],
  "decisions": ["Decisions", "决定"],
  "evidence": ["Evidence", "证据"],
  // Counting
  "call one": ["1 call", "1 通通话"],
  "call many": ["{n} calls", "{n} 通通话"],
  "live one": ["1 call live", "1 通通话进行中"],
  "live many": ["{n} calls live", "{n} 通通话进行中"],
  "day one": ["1 day", "1 天"],
  "day many": ["{n} days", "{n} 天"],
  "person one": ["1 person", "1 人"],
  "person many": ["{n} people", "{n} 人"],
  "decision one": ["1 decision", "1 项决定"],
  "decision many": ["{n} decisions", "{n} 项决定"],
  // Overview
  "all in force": ["All permits in force", "所有许可证均有效"],
  "no permits": ["No permit on file", "尚无许可证"],
  "some in force": ["{good} of {all} permits in force", "{all} 张许可证中 {good} 张有效"],
  "next expiry": ["next expiry in {days}", "最近的到期日在 {days}后"],
  "expires today": ["one ends today", "有一张今天到期"],
  "no expiry": ["none of them ends", "均无到期日"],
  "winding": ["{n} coming to an end", "{n} 通正在结束"],
  "telephone off": ["Calls with telephones are switched off", "与电话的通话已关闭"],
  "toggles off one": ["1 switch narrows what permits allow", "1 个开关收窄了许可范围"],
  "toggles off many": ["{n} switches narrow what permits allow", "{n} 个开关收窄了许可范围"],
  "waiting one": ["1 change waits for a second operator", "1 项更改等待第二位运营者"],
  "waiting many": ["{n} changes wait for a second operator", "{n} 项更改等待第二位运营者"],
  "expires soon": ["{permit} is valid until {on} and no longer: {days}", "{permit} 有效期至 {on}，还有 {days}"],
  "draining now": ["The server is about to stop: it takes no new calls", "服务器即将停止，不再接受新通话"],
  "nothing needs you": ["Nothing needs a decision", "没有需要处理的事项"],
  "needs": ["What needs you", "需要您处理"],
  "figures": ["Now", "当前"],
  "figure calls": ["Calls", "通话"],
  "figure winding": ["Coming to an end", "正在结束"],
  "figure legs": ["Telephone legs", "电话支路"],
  "figure devices": ["Devices connected", "在线设备"],
  "figure epoch": ["Register epoch", "登记簿版本"],
  "figure node": ["Node", "节点"],
  "comma": [", ", "，"],
  "semicolon": ["; ", "；"],
  "stop": [".", "。"],
  "alarm journal_failed": ["Decisions cannot be recorded.", "决定无法记录。"],
  "alarm journal_slow": ["Decisions are recorded late.", "决定记录迟缓。"],
  "alarm register_stale": ["The state of the permits cannot be confirmed.", "许可状态无法确认。"],
  "alarm clock_unsound": ["The server's clock cannot be trusted.", "服务器时钟不可信。"],
  "alarm gate_failed": ["A call could not be decided.", "有通话无法裁定。"],
  "alarm permit_file_refused": ["The signed file of permits was not taken.", "已签名的许可文件未被接受。"],
  "alarm evidence_lost": ["Records reach less far than they once did; telephone calls are refused.", "记录有缺失，电话通话被拒绝。"],
  "alarm checkpoint_failed": ["Nothing is being signed.", "检查点无法签名。"],
  "alarm profile_overdue": ["A law was not reviewed in time.", "有法规未按时复核。"],
  // Permits
  "standing in_force": ["In force", "有效"],
  "standing suspended": ["Suspended", "已中止"],
  "standing revoked": ["Revoked", "已撤销"],
  "standing expired": ["Expired", "已过期"],
  "standing not_yet_valid": ["Not yet valid", "尚未生效"],
  "no permits next": ["Without one no call with a telephone is placed. Add the file of the first.", "没有许可证就不能拨打电话。请添加第一张许可证的文件。"],
  "add permit": ["Add a permit", "添加许可证"],
  "holder": ["Holder", "持有人"],
  "authority": ["Authority", "发证机关"],
  "permit number": ["Number", "编号"],
  "basis": ["Basis", "依据"],
  "basis own": ["Own permit", "自有许可"],
  "basis carrier_contract": ["A partner's, by contract", "合作方许可（合同）"],
  "categories": ["Categories", "业务类别"],
  "regions": ["Regions", "地区"],
  "all regions": ["All of {code}", "{code} 全境"],
  "valid": ["Valid", "有效期"],
  "no end": ["no end stated", "未注明到期日"],
  "today": ["today", "今天"],
  "ends in": ["{days} left", "还剩 {days}"],
  "ended": ["ended {days} ago", "{days}前到期"],
  "verified": ["Verified", "核验"],
  "verified yes": ["Checked against the permit", "已核对原件"],
  "verified no": ["Nobody has checked it", "尚未核验"],
  "evidence hash": ["SHA-256", "SHA-256"],
  "checked by": ["{by}, {on}", "{by}，{on}"],
  "register entry": ["Entry in the public register", "公开登记条目"],
  "conditions": ["Conditions", "条件"],
  "renewal": ["Renewal", "续期"],
  "renewal asked": ["applied for on {on}", "{on} 已申请"],
  "renewal granted": ["applied for on {on}, granted", "{on} 已申请，已批准"],
  "renewal refused": ["applied for on {on}, refused", "{on} 已申请，被拒绝"],
  "next review": ["Next review", "下次复核"],
  "version": ["Version", "版本"],
  "history": ["History", "历史"],
  "from": ["from", "自"],
  "until lifted": ["until it is lifted", "直至解除"],
  "event suspended": ["Suspended", "中止"],
  "event revoked": ["Revoked", "撤销"],
  "event surrendered": ["Given back", "交回"],
  "events": ["What happened to it", "状态变更"],
  "no events": ["Nothing has happened to it.", "没有状态变更。"],
  "filed version": ["Version {version}, filed by {by}", "第 {version} 版，由 {by} 登记"],
  "versions": ["Versions", "各版本"],
  "no such permit": ["There is no such permit", "没有此许可证"],
  "back to permits": ["All permits", "全部许可证"],
  "suspend": ["Suspend", "中止"],
  "reinstate": ["Reinstate", "恢复"],
  "revoke": ["Revoke", "撤销"],
  "suspend title": ["Suspend {id}", "中止 {id}"],
  "revoke title": ["Revoke {id} for good", "永久撤销 {id}"],
  "reinstate title": ["Reinstate {id}", "恢复 {id}"],
  "reinstate why": ["Lifting a suspension takes two operators. Your word waits up to a day for another operator's.", "解除中止需要两位运营者。您的请求最多等待一天，由另一位运营者确认。"],
  "reinstate second": ["{by} has asked for this. With your word it is done.", "{by} 已提出此请求，您确认后立即生效。"],
  "reinstate asked": ["You have asked for it. Another operator has to agree before {until}.", "您已提出请求，须由另一位运营者在 {until} 前确认。"],
  "why": ["Why", "原因"],
  "why hint": ["It enters the journal.", "将写入日志。"],
  "reference": ["Reference", "文号"],
  "your password": ["Your password", "您的密码"],
  "your password hint": ["Once more, for this one thing.", "仅为本次操作再次输入。"],
  "agree": ["Agree", "确认"],
  "withdraw": ["Take back", "撤回"],
  "done": ["Done", "完成"],
  // Effects
  "effect loading": ["Looking at what it would do…", "正在评估影响…"],
  "effect now none": ["No call that runs now is touched.", "不影响当前进行中的通话。"],
  "effect now": ["Ends {calls} of {people} within {seconds} s.", "{seconds} 秒内结束 {people}的 {calls}。"],
  "effect now at once": ["Ends {calls} of {people} at once.", "立即结束 {people}的 {calls}。"],
  "effect regained": ["{calls} that come to an end go on after all.", "{calls}正在结束的将继续。"],
  "effect past": ["Of the last day's {decisions}, {refused} would have been refused.", "过去一天的 {decisions}中，{refused} 项会被拒绝。"],
  "effect past allowed": ["Of the last day's {decisions}, {allowed} more would have been allowed.", "过去一天的 {decisions}中，会多允许 {allowed} 项。"],
  "effect past none": ["None of the last day's {decisions} would have been another.", "过去一天的 {decisions}均不受影响。"],
  "effect past bounded": ["Of the newest {decisions}, {refused} would have been refused and {allowed} more allowed.", "最近 {decisions}中，{refused} 项会被拒绝，多允许 {allowed} 项。"],
  "effect rest": ["All other calls go on.", "其他通话不受影响。"],
  "effect telephone": ["Ends {calls} with telephones at once; new ones are refused, but for emergency calls.", "立即结束 {calls}电话通话；除紧急呼叫外，新的电话一律拒绝。"],
  "effect unknown": ["What it would do could not be found out.", "无法评估影响。"],
  "changed since": ["Something has changed since you looked. This is what is true now; nothing was done.", "自您查看后情况已变化。以下为当前状态；操作未执行。"],
  "unanswered": ["No answer came, so it may have been done. Look at what is true now before you try again.", "没有收到回应，操作可能已执行。请先查看当前状态再重试。"],
  "not sent": ["The server could not be reached. Nothing was done.", "无法连接服务器，操作未执行。"],
  "ends watched": ["Coming to an end: {n} of {all}", "正在结束：{all} 中的 {n}"],
  "all ended": ["All {all} have ended, the last one after {seconds} s.", "{all} 通均已结束，最后一通用时 {seconds} 秒。"],
  "password once": ["Say your password", "请输入密码"],
  // Adding a permit
  "file": ["File", "文件"],
  "choose file": ["Choose a file of one permit (JSON)", "选择一张许可证的文件（JSON）"],
  "or paste": ["or paste it here", "或粘贴在此"],
  "no json": ["{file}: this is no JSON.", "{file}：不是有效的 JSON。"],
  "file fault": ["{file}: {fault}", "{file}：{fault}"],
  "too large file": ["{file}: has more than 64 KiB", "{file}：超过 64 KiB"],
  "checked who": ["Who held it against the permit itself", "由谁核对原件"],
  "checked who hint": ["Leave it empty if nobody has: then it counts as not verified.", "无人核对则留空：视为未核验。"],
  "checked file": ["What they looked at", "核对的文件"],
  "checked file hint": ["Only its SHA-256 is kept, and made here in your browser.", "仅保存 SHA-256，在浏览器中计算。"],
  "add": ["Add", "添加"],
  "typed": ["the text", "文本"],
  "effect of adding": ["What it would do", "影响"],
  // Switches
  "telephone": ["Calls with telephones", "与电话的通话"],
  "telephone on": ["On, as far as permits allow", "已开启，以许可为限"],
  "telephone is off": ["Off: only emergency calls", "已关闭：仅允许紧急呼叫"],
  "telephone on why": ["One operator switches them off, at once and also after a restart. On again takes two.", "一位运营者即可立即关闭，重启后仍然有效；重新开启需要两位。"],
  "switch off": ["Switch off", "关闭"],
  "switch on": ["Switch on", "开启"],
  "switch off now": ["Switch off all telephone calls", "关闭所有电话通话"],
  "switch on again": ["Switch telephone calls on again", "重新开启电话通话"],
  "kinds": ["Kinds of calls", "通话类别"],
  "kinds why": ["A switch narrows what permits allow. It never allows anything by itself.", "开关只能收窄许可范围，不能扩大。"],
  "no toggles": ["Nothing is switched off", "没有关闭的类别"],
  "new toggle": ["Switch a kind of calls off", "关闭一类通话"],
  "toggle off": ["Off", "已关闭"],
  "toggle on": ["On", "已开启"],
  "toggle title off": ["Switch {key} off", "关闭 {key}"],
  "toggle title on": ["Switch {key} on", "开启 {key}"],
  "toggle title remove": ["Remove the switch {key}", "移除开关 {key}"],
  "remove switch": ["Remove", "移除"],
  "which service": ["Which calls", "哪类通话"],
  "every service": ["All calls and texts", "所有通话与消息"],
  "where": ["Where", "范围"],
  "where hint": ["A country (CN) or part of one (CN-BJ); empty is everywhere.", "国家（CN）或地区（CN-BJ），留空为全部。"],
  "bad place": ["Not a country's or region's code: {place}", "不是国家或地区代码：{place}"],
  "everywhere": ["everywhere", "全部地区"],
  "waiting": ["Waiting for a second operator", "等待第二位运营者"],
  "asked by": ["Asked for by {by}, {at}: {why}", "{by} 于 {at} 提出：{why}"],
  "until": ["until {until}", "截止 {until}"],
  "wait reinstate": ["Reinstate the permit {key}", "恢复许可证 {key}"],
  "wait switch_on": ["Switch telephone calls on again", "重新开启电话通话"],
  "need another": ["It takes another operator than the one who asked.", "须由另一位运营者确认。"],
  // Kinds of calls
  "app_voice": ["App call", "应用语音通话"],
  "app_video": ["App video call", "应用视频通话"],
  "pstn_out": ["Call to a telephone", "呼出电话"],
  "pstn_in": ["Call from a telephone", "呼入电话"],
  "pstn_bridge": ["Two telephones joined", "电话转接电话"],
  "conf_app": ["App conference", "应用会议"],
  "conf_pstn": ["Conference with telephones", "电话会议"],
  "text_app": ["App message", "应用消息"],
  "sms_out": ["SMS sent", "发送短信"],
  "sms_in": ["SMS received", "接收短信"],
  "store_forward": ["Voicemail", "语音信箱"],
  "call_centre": ["Call centre", "呼叫中心"],
  // What the server may refuse
  "not done": ["It was not done.", "操作未执行。"],
  "bad_value": ["A value cannot be taken.", "其中有无效的值。"],
  "unknown_field": ["There is a field that is not known.", "其中有未知字段。"],
  "missing_field": ["Something is missing.", "缺少必要字段。"],
  "malformed": ["This is no JSON object.", "不是 JSON 对象。"],
  "not_changed": ["It was not changed.", "未作更改。"],
  "proof_wrong": ["The password is wrong.", "密码错误。"],
  "not_an_operator": ["Auditors change nothing.", "审计者不能更改。"],
};

/**
 * A sentence in the person's language.
 *
 * @param {string} key @param {Record<string, string | number>} [filled] @returns {string}
 */
export function say(key, filled = {}) {
  const both = WORDS[key];
  if (!both) return sayOfApp(key, filled);
  return both[spoken() === "en" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => shown(filled[name] ?? ""));
}

/** Is there such a sentence here? @param {string} key */
export const has = (key) => key in WORDS;

/** @param {string | number} value */
const shown = (value) => (typeof value === "number" ? figure(value) : value);

/** A number as the language writes it. @param {number} value */
export const figure = (value) => new Intl.NumberFormat(spoken()).format(value);

/** So many of something: `call`, `day`. @param {string} what @param {number} n */
export const many = (what, n) => say(`${what} ${n === 1 ? "one" : "many"}`, { n });

/** Why something was decided so. @param {string | null} reason */
export const inLaw = (reason) => (reason && decided[reason]?.[spoken() === "en" ? 0 : 1]) ?? reason ?? "";

/** A kind of call. @param {string | null} service */
export const kind = (service) => (service && has(service) ? say(service) : (service ?? say("unknown")));

/** A moment, to the second. @param {number} at microseconds since 1970 */
export function moment(at) {
  const form = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "medium" });
  return new Intl.DateTimeFormat(spoken(), form).format(at / 1000);
}

/** A calendar day, wherever it is read. @param {string} day `2026-12-24` */
export function day(day) {
  const form = /** @type {const} */ ({ dateStyle: "medium", timeZone: "UTC" });
  return new Intl.DateTimeFormat(spoken(), form).format(new Date(`${day}T00:00:00Z`));
}
