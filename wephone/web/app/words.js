/** Every sentence of the app, in both languages, side by side: those that it begins with, and here the others. */

import { learn, spoken } from "./first-words.js";
import { ends, errors } from "./reasons.js";

export * from "./first-words.js";

learn({
  // Signing in
  "sign in": ["Sign in", "登录"],
  "sign up": ["Create account", "注册"],
  "sign out": ["Sign out", "退出登录"],
  "welcome": ["Calls and messages, app to app, free.", "应用之间的通话与消息，免费。"],
  "name": ["Name", "用户名"],
  "name hint": ["Letters, digits, dots and dashes; begins with a letter.", "字母、数字、点和短横线，以字母开头。"],
  "password": ["Password", "密码"],
  "password hint": ["At least 8 characters.", "至少 8 个字符。"],
  "new password": ["New password", "新密码"],
  "invitation": ["Invitation code", "邀请码"],
  "have account": ["I have an account", "我已有账号"],
  "no account": ["I need an account", "我需要一个账号"],
  "closed": ["Accounts are opened by invitation here. Ask whoever runs this service.", "本服务需凭邀请注册，请联系运营者。"],
  "change password first": ["Choose a new password", "请设置新密码"],
  "change password why": ["Your password was for one use.", "您的密码仅供一次使用。"],
  "save": ["Save", "保存"],
  "signing in": ["Signing in…", "正在登录…"],
  // Places
  "back": ["Back", "返回"],
  // Empty, error, offline
  "no calls": ["No calls yet", "还没有通话"],
  "no calls next": ["Calls you make and miss are listed here.", "拨出和未接的通话会列在这里。"],
  "no messages": ["No messages yet", "还没有消息"],
  "no messages next": ["Pick a person to write to them.", "选择一位联系人开始发消息。"],
  "pick": ["Pick a conversation", "选择一个会话"],
  // People and dialling
  "video call": ["Video call", "视频通话"],
  "remove": ["Remove", "移除"],
  "shown name": ["Your name for them", "备注名"],
  "block person": ["Block", "屏蔽"],
  "block why": ["They are told that you cannot be reached. They are not told why.", "对方只会得知无法联系到您，不会得知原因。"],
  "telephone call": ["Telephone call", "电话"],
  "telephone in": ["Telephone call to {country}", "拨打{country}的电话"],
  "checking": ["Checking…", "正在查询…"],
  "not a number": ["This is neither a name nor a telephone number.", "这既不是用户名，也不是电话号码。"],
  "yourself": ["That is you.", "这是您自己。"],
  // Calls
  "outgoing": ["Outgoing", "拨出"],
  "incoming": ["Incoming", "呼入"],
  "missed": ["Missed", "未接"],
  "more": ["Show more", "显示更多"],
  "sending": ["Calling…", "正在呼叫…"],
  "sent": ["Looking for {name}…", "正在查找 {name}…"],
  "delivered": ["Delivered", "已送达"],
  "alerting": ["Ringing", "正在响铃"],
  "answering": ["Answering…", "正在接听…"],
  "connecting": ["Connecting…", "正在连接…"],
  "reconnecting": ["Reconnecting…", "正在重新连接…"],
  "on hold here": ["On hold", "已保持"],
  "on hold there": ["{name} has put you on hold", "{name} 将您置于保持状态"],
  "answer": ["Answer", "接听"],
  "decline": ["Decline", "拒绝"],
  "decline write": ["Reply with a message", "以消息回复"],
  "answer holds": ["{name} is put on hold while you answer", "接听时将保持与 {name} 的通话"],
  "switch": ["Switch", "切换"],
  "forwarded to": ["Forwarded to", "已转移至"],
  "forwarded by": ["Forwarded, meant for", "转移来电，原拨给"],
  "keypad": ["Keypad", "键盘"],
  "keys pressed": ["Keys pressed", "已按按键"],
  "hang up": ["End", "挂断"],
  "mute": ["Mute", "静音"],
  "unmute": ["Unmute", "取消静音"],
  "muted": ["You are muted", "您已静音"],
  "talking while muted": ["You are talking, but muted", "您正在说话，但已静音"],
  "hold": ["Hold", "保持"],
  "resume": ["Resume", "恢复"],
  "video on": ["Video on", "打开视频"],
  "video off": ["Video off", "关闭视频"],
  "devices": ["Audio devices", "音频设备"],
  "audio": ["Audio", "音频"],
  "talking": ["Connected", "已接通"],
  "hide": ["Minimise", "最小化"],
  "safety code": ["Safety code", "安全码"],
  "safety code why": ["If {name} reads the same digits, nobody sits between you.", "若 {name} 读出相同数字，则通话未被窃听。"],
  "safety code stale": ["The connection was made anew: the code no longer holds.", "连接已重建，安全码不再有效。"],
  "end to end": ["End-to-end encrypted", "端到端加密"],
  "not end to end": ["Telephone call: not end-to-end encrypted", "电话：未端到端加密"],
  "change declined": ["The other side could not do that.", "对方无法完成此操作。"],
  "ending in": ["This call ends in {seconds} s", "通话将在 {seconds} 秒后结束"],
  "call ended after": ["Call ended · {time}", "通话已结束 · {time}"],
  "forged": ["Somebody may have tried to listen in, so the call was ended.", "可能有人试图窃听，通话已终止。"],
  "call again": ["Call again", "再次呼叫"],
  "another tab": ["This call is in another tab of this browser.", "此通话在本浏览器的另一标签页中。"],
  // Quality
  "quality 3": ["Good connection", "连接良好"],
  "quality 2": ["Fair connection", "连接一般"],
  "quality 1": ["Poor connection", "连接较差"],
  "quality 0": ["No sound arrives", "没有声音到达"],
  "cause none": ["", ""],
  "cause muted": ["you are muted", "您已静音"],
  "cause no_packets": ["nothing arrives from the other side", "未收到对方的数据"],
  "cause no_energy": ["your microphone picks up no sound", "麦克风没有声音"],
  "cause loss": ["parts of the sound get lost", "部分声音丢失"],
  "cause delay": ["the connection is slow", "网络延迟较高"],
  "cause relay": ["through a relay", "经中继"],
  // Microphone
  "microphone refused": ["This page may not use the microphone. Allow it in the browser's address bar, then call again.", "页面未获准使用麦克风。请在浏览器地址栏中允许后重新呼叫。"],
  "microphone absent": ["No microphone was found. Plug one in, then call again.", "未找到麦克风。请连接后重新呼叫。"],
  "microphone in_use": ["Another program is using the microphone. Close it, then call again.", "麦克风被其他程序占用。请关闭后重新呼叫。"],
  "microphone insecure": ["Browsers give no microphone to a page without HTTPS. Open this service by its https address.", "浏览器不允许非 HTTPS 页面使用麦克风，请使用 https 地址打开。"],
  "microphone failed": ["The microphone could not be opened.", "无法打开麦克风。"],
  "camera refused": ["This page may not use the camera. Allow it in the browser's address bar, then try again.", "页面未获准使用摄像头。请在浏览器地址栏中允许后重试。"],
  "camera absent": ["No camera was found. Plug one in, then try again.", "未找到摄像头。请连接后重试。"],
  "camera in_use": ["Another program is using the camera. Close it, then try again.", "摄像头被其他程序占用。请关闭后重试。"],
  "camera insecure": ["Browsers give no camera to a page without HTTPS. Open this service by its https address.", "浏览器不允许非 HTTPS 页面使用摄像头，请使用 https 地址打开。"],
  "camera failed": ["The camera could not be opened.", "无法打开摄像头。"],
  "microphone": ["Microphone", "麦克风"],
  "speaker": ["Speaker", "扬声器"],
  "camera": ["Camera", "摄像头"],
  "system default": ["System default", "系统默认"],
  "test tone": ["Play a test tone", "播放测试音"],
  "level": ["Microphone level", "麦克风音量"],
  // Messages
  "write": ["Write a message", "写消息"],
  "send": ["Send", "发送"],
  "fate waiting": ["Waiting", "等待发送"],
  "fate sent": ["Sent", "已发送"],
  "fate delivered": ["Delivered", "已送达"],
  "fate read": ["Read", "已读"],
  "fate failed": ["Not sent", "未发送"],
  "operator reads": ["The operator of this service can read stored messages.", "本服务的运营者可以读取已存储的消息。"],
  // Settings
  "language": ["Language", "语言"],
  "theme": ["Appearance", "外观"],
  "theme system": ["As the system", "跟随系统"],
  "theme light": ["Light", "浅色"],
  "theme dark": ["Dark", "深色"],
  "do not disturb": ["Do not disturb", "勿扰"],
  "do not disturb why": ["Nobody's call rings here.", "来电不会响铃。"],
  "show presence": ["Show when I am online", "显示我的在线状态"],
  "show presence why": ["To people you have added, and to nobody else.", "仅对您添加的联系人显示。"],
  "forwarding": ["Call forwarding", "呼叫转移"],
  "forwarding none": ["Your calls go on to nobody else.", "来电不会转移给他人。"],
  "forwarding hint": ["A name or a number; leave it empty for none.", "用户名或号码，留空则不转移。"],
  "forwarding why": ["Calls that go on to a telephone count as yours.", "转到电话的通话计入您的账户。"],
  "forward always": ["All calls", "所有来电"],
  "forward busy": ["When I am busy", "忙线时"],
  "forward no_answer": ["When nobody answers or I cannot be reached", "无人接听或无法联系时"],
  "forward after": ["Seconds that it rings first", "转移前响铃秒数"],
  "change": ["Change", "更改"],
  "account": ["Account", "账号"],
  "signed in as": ["Signed in as {name}", "已登录：{name}"],
  "where signed in": ["Where you are signed in", "登录设备"],
  "session name": ["Name of this sign-in", "此登录的名称"],
  "this device": ["this device", "本设备"],
  "change password": ["Change password", "更改密码"],
  "change password signs out": ["You are then signed out everywhere.", "之后您将在所有设备上退出登录。"],
  "old password": ["Present password", "当前密码"],
  "export": ["Download what is stored about me", "下载我的数据"],
  "close account": ["Close account", "注销账号"],
  "close account why": ["Texts, contacts and the account go for good, and nobody gets this name again.", "消息、联系人和账号将被永久删除，该用户名不再分配给他人。"],
  "sign out there": ["Sign out", "退出"],
  "sign out everywhere": ["Sign out everywhere", "退出所有设备"],
  "blocked": ["Blocked people", "已屏蔽"],
  "block": ["Block", "屏蔽"],
  "unblock": ["Unblock", "取消屏蔽"],
  "nobody blocked": ["Nobody is blocked.", "没有屏蔽任何人。"],
  "hide address": ["Hide my address from callers", "对通话方隐藏我的网络地址"],
  "hide address why": ["Calls go through the service's relay. They may sound a little later.", "通话将经服务中继，延迟可能略有增加。"],
  "ring closed": ["Ring when no page is open", "页面关闭时也响铃"],
  "ring closed why": ["The maker of your browser passes it on, and cannot read who calls or writes.", "由浏览器厂商转达，但其无法读取来电人和发信人。"],
  "ring closed not": ["This browser can't do that. On an iPhone or iPad, add the app to the home screen first.", "此浏览器不支持。在 iPhone 或 iPad 上，请先将应用添加到主屏幕。"],
  "ring closed refused": ["Notifications are blocked for this page. Allow them in the browser's settings.", "此页面的通知已被禁止，请在浏览器设置中允许。"],
  "ring closed failed": ["That did not work. Try again later.", "未能开启，请稍后再试。"],
  // Errors
  "slow_down": ["Too many tries. Wait {seconds} s.", "尝试过多，请等待 {seconds} 秒。"],
  "wrong_password": ["The name or the password is wrong.", "用户名或密码错误。"],
  "name_taken": ["This name is taken. Choose another.", "用户名已被使用，请换一个。"],
  "bad_invitation": ["This invitation is unknown, used or too old.", "邀请码无效、已使用或已过期。"],
  "account_disabled": ["This account has been disabled by the operator.", "此账号已被运营者停用。"],
  "unreachable server": ["The service cannot be reached. Check the network and try again.", "无法连接服务，请检查网络后重试。"],
});

/** A text as a sentence of its own. @param {string} text */
export const sentence = (text) => (text && text.charAt(0).toUpperCase() + text.slice(1)) + (/[.。…?？!！]$/.test(text) ? "" : spoken() === "en" ? "." : "。");

/** Why a call ended. @param {string} reason */
export const endInWords = (reason) => ends[reason]?.[spoken() === "en" ? 0 : 1] ?? reason;

/** Why something was refused. @param {string} code */
export const errorInWords = (code) => errors[code]?.[spoken() === "en" ? 0 : 1] ?? code;

/** @param {number} at microseconds since 1970 */
export function timeOf(at) {
  return new Intl.DateTimeFormat(spoken(), { hour: "2-digit", minute: "2-digit" }).format(at / 1000);
}

/** Minutes and seconds. @param {number} ms */
export function lasting(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return (parts[0] ? parts : parts.slice(1)).map((part) => String(part).padStart(2, "0")).join(":");
}
