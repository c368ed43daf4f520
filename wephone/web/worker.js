/**
 * The app without a network: its files, as they were when it was last loaded, and nothing that the API answers.
 *
 * The network comes first, so that whoever is connected has the server's own version. A page that was opened from what
 * is kept gets all its files from there: modules of two versions must never meet.
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const KEPT = `wephone ${SHELL.version}`;
/** @type {Set<string>} pages that were opened from what is kept */
const offline = new Set();

worker.addEventListener("install", (event) => event.waitUntil(keep()));
worker.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
worker.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  const isOurs = origin === worker.location.origin && SHELL.files.includes(pathname);
  if (event.request.method === "GET" && isOurs) event.respondWith(answer(event, pathname));
});

/** All of one version, or none: a file that cannot be had fails the whole. */
async function keep() {
  const kept = await caches.open(KEPT);
  await kept.addAll(SHELL.files.map((file) => new Request(file, { cache: "no-cache" })));
  await worker.skipWaiting(); // whoever is connected is served by the network in any case
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
  await worker.clients.claim();
}

/** @param {FetchEvent} event @param {string} file */
async function answer(event, file) {
  if (offline.has(event.clientId)) return (await kept(file)) ?? fetch(event.request);
  try {
    return await fetch(event.request);
  } catch (error) {
    const found = await kept(file);
    if (!found) throw error;
    offline.add(event.resultingClientId || event.clientId);
    return found;
  }
}

/** @param {string} file */
async function kept(file) {
  return (await caches.open(KEPT)).match(file);
}

// Woken by the push service, with no page open

const NEWS = /** @type {const} */ ({
  call: ["is calling you", "来电"],
  video: ["is calling you, with video", "视频来电"],
  text: ["has written to you", "给您发来消息"],
  missed: ["Missed call", "未接来电"],
  over: ["The call is over", "通话已结束"],
  answer: ["Answer", "接听"],
  decline: ["Decline", "拒绝"],
  open: ["Open", "打开"],
  withheld: ["Number withheld", "未显示号码"],
});

/**
 * @typedef {{type: "call" | "over" | "text", from: string, call?: string, video?: boolean,
 *   missed?: boolean, device: string, language: string}} News
 */

worker.addEventListener("push", (event) => {
  const news = /** @type {News | undefined} */ (event.data?.json());
  if (news) event.waitUntil(tell(news));
});
worker.addEventListener("notificationclick", (event) => event.waitUntil(chosen(event.notification, event.action)));

/** A push has to show something: browsers take the right away from who wakes in secret. @param {News} news */
async function tell(news) {
  const say = (/** @type {keyof typeof NEWS} */ key) => NEWS[key][news.language === "zh-CN" ? 1 : 0];
  const rings = news.type === "call";
  const tag = news.call ? `call ${news.call}` : `text ${news.from}`;
  const about = news.type === "text" ? "text" : rings ? (news.video ? "video" : "call") : news.missed ? "missed" : "over";
  const actions = rings
    ? [{ action: "answer", title: say("answer") }, { action: "decline", title: say("decline") }]
    : [{ action: "open", title: say("open") }];
  const options = {
    body: say(about), tag, actions, renotify: news.type !== "over", silent: about === "over", requireInteraction: rings,
    icon: "/web/icons/icon-192.png", data: news,
  };
  const from = news.from === "(withheld)" ? say("withheld") : news.from; // a telephone that does not say its number
  await worker.registration.showNotification(from, options);
}

/**
 * Declining needs no page. Answering opens one, where the call rings: no link, and no push, ever answers.
 *
 * @param {Notification} notification @param {string} action
 */
async function chosen(notification, action) {
  notification.close();
  const { type, call, from, missed, device } = /** @type {News} */ (notification.data);
  if (action === "decline" && (await isDeclined(String(call), device))) return;
  const place = type === "text" ? `/#messages/${encodeURIComponent(from)}` : missed ? "/#calls" : "/";
  const [page] = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!page) return void (await worker.clients.openWindow(place));
  if (place !== "/") page.postMessage({ go: place.slice(2) });
  await page.focus();
}

/** Turn a call down: false if the server does not hear it. @param {string} call @param {string} device */
async function isDeclined(call, device) {
  const headers = { "Content-Type": "application/json" };
  const asked = { method: "POST", headers, body: JSON.stringify({ device }) };
  const answer = await fetch(`/api/calls/${call}/decline`, asked).catch(() => null);
  return answer !== null && (answer.ok || answer.status === 404); // 404: it is over
}
