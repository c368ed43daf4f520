/**
 * The sentences that the app begins with, in both languages, side by side, and how one is said. `{name}` is filled in.
 *
 * Its other sentences come with the views that need them (words.js).
 *
 * @typedef {"en" | "zh-CN"} Language
 */

/** @type {Record<string, [string, string]>} */
const WORDS = {
  // Places
  "people": ["People", "联系人"],
  "calls": ["Calls", "通话"],
  "messages": ["Messages", "消息"],
  "settings": ["Settings", "设置"],
  "search": ["Name or number", "姓名或号码"],
  "close": ["Close", "关闭"],
  "retry": ["Try again", "重试"],
  "loading": ["Loading…", "正在加载…"],
  "copy": ["Copy", "复制"],
  "copied": ["Copied", "已复制"],
  "colon": [": ", "："],
  // Empty, error, offline
  "no people": ["Nobody here yet", "还没有联系人"],
  "no people next": ["Type a person's name above to call or write to them; add them to find them here.", "在上方输入对方用户名即可通话或发消息，添加后会显示在这里。"],
  "not loaded": ["This could not be loaded", "无法加载"],
  "insecure": ["This page needs HTTPS", "此页面需要 HTTPS"],
  "insecure why": ["Over http browsers keep no sign-in and give no microphone. Open it by its https address.", "通过 http 访问时，浏览器不保存登录状态，也不提供麦克风。请使用 https 地址打开。"],
  "offline": ["No connection to the service. Trying again…", "无法连接服务，正在重试…"],
  "draining": ["The service restarts in a moment. Running calls go on.", "服务即将重启，进行中的通话不受影响。"],
  "over replaced": ["This account is open in another window of this browser.", "此账号已在本浏览器的另一窗口打开。"],
  "over revoked": ["You were signed out from another device.", "您已在其他设备上被退出登录。"],
  "over expired": ["Your session has expired. Sign in again.", "登录已过期，请重新登录。"],
  "over disabled": ["This account has been disabled by the operator.", "此账号已被运营者停用。"],
  "sign in again": ["Sign in again", "重新登录"],
  // People and dialling
  "call": ["Call", "呼叫"],
  "message": ["Message", "发消息"],
  "add": ["Add to people", "添加联系人"],
  "about": ["About {name}", "关于 {name}"],
  "online": ["Online", "在线"],
  "last seen": ["Last seen {time}", "上次在线：{time}"],
  "app call": ["Free app call", "免费应用通话"],
  "dial pad": ["Dial pad", "拨号盘"],
  "delete digit": ["Delete", "删除"],
  // Calls
  "missed count": ["{count} missed", "{count} 个未接"],
  "ringing": ["is calling you", "来电"],
  "return to call": ["Return to the call", "返回通话"],
  "withheld": ["Number withheld", "未显示号码"],
  "call ended": ["Call ended", "通话已结束"],
  "decision": ["Decision", "决定编号"],
  // Messages
  "unread count": ["{count} unread", "{count} 条未读"],
};

const KEPT = "wephone language";
/** @type {Language} */
let language = navigator.languages.some((each) => each.toLowerCase().startsWith("zh")) ? "zh-CN" : "en";
/** @type {Set<() => void>} */
const watching = new Set();

try {
  const kept = localStorage.getItem(KEPT);
  if (kept === "en" || kept === "zh-CN") language = kept;
} catch {
  // No storage: the browser's language it is.
}
document.documentElement.lang = language;

/** @returns {Language} */
export const spoken = () => language;

/** @param {Language} chosen */
export function speak(chosen) {
  localStorage.setItem(KEPT, chosen);
  turnTo(chosen);
}

/** @param {Language} chosen here or in another tab */
function turnTo(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const told of watching) told();
}
window.addEventListener("storage", ({ key, newValue }) => {
  if (key === KEPT && newValue) turnTo(/** @type {Language} */ (newValue));
});

/** @param {() => void} told called when the language changes @returns {() => void} */
export function watchLanguage(told) {
  watching.add(told);
  return () => watching.delete(told);
}

/**
 * A sentence in the person's language.
 *
 * @param {string} key @param {Record<string, string | number>} [filled] @returns {string}
 */
export function say(key, filled = {}) {
  const both = WORDS[key];
  if (!both) throw new Error(`no words for "${key}"`);
  return both[language === "en" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => String(filled[name] ?? ""));
}

/** More sentences. @param {Record<string, [string, string]>} words */
export function learn(words) {
  Object.assign(WORDS, words);
}

/** Is there such a sentence? @param {string} key */
export const hasWords = (key) => key in WORDS;

/** A text that the server has in both languages. @param {import("../protocol.js").RefusalText} text */
export const inWords = (text) => text[language];

/** @param {number} at microseconds since 1970 */
export function dayOf(at) {
  const day = new Date(at / 1000);
  const isToday = day.toDateString() === new Date().toDateString();
  const form = isToday ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(language, /** @type {Intl.DateTimeFormatOptions} */ (form)).format(day);
}
