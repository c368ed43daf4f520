/** Does this browser ring when nobody looks at a page of the app, or none is open? Loaded if it may. */

import { ask } from "../edge/http.js";
import { allowed, canBeWoken, isRefused, subscribed, unsubscribed, worker } from "../edge/push.js";
import { device, wakes, wakesFor } from "./kept.js";
import { nameOf } from "./names.js";
import { say, spoken } from "./words.js";

export { canBeWoken, isRefused };

/** Switch it on: true if it is then. The person has just pressed, so the browser may ask them. @param {string} user */
export async function wake(user) {
  if (!(await allowed())) return false;
  await subscribe();
  wakesFor(user);
  return true;
}

/** Tell the server where this browser is woken, and in which language. */
async function subscribe() {
  const { key } = await ask("GET", "/api/push");
  const { endpoint, keys } = (await subscribed(key)).toJSON();
  await ask("PUT", `/api/push/${device()}`, { endpoint, keys, language: spoken() });
}

/** Once a page, if it is on: browsers renew subscriptions, servers change keys, people their language. @param {string} user */
export async function keepWaking(user) {
  if (!wakes(user) || !canBeWoken() || isRefused()) return;
  await subscribe().catch(() => {}); // the next time then; what the server has may still be good
}

/** Switch it off, as far as this browser and its server can be reached. */
export async function sleep() {
  wakesFor(null);
  await ask("DELETE", `/api/push/${device()}`).catch(() => {});
  await unsubscribed().catch(() => {});
}

/** @typedef {readonly import("./state.js").Call[]} Calls */

/** What rings in a page that nobody looks at, the system says; until it rings no more. @param {Calls} before @param {Calls} now */
export async function announce(before, now) {
  const ringing = (/** @type {Calls} */ calls) => calls.filter(({ stage }) => stage === "ringing");
  const fresh = ringing(now).filter(({ id }) => !ringing(before).some((each) => each.id === id));
  const over = ringing(before).filter(({ id }) => !ringing(now).some((each) => each.id === id));
  if ((!fresh.length && !over.length) || !canBeWoken() || Notification.permission !== "granted") return;
  const registration = await worker();
  for (const call of fresh) if (document.visibilityState !== "visible") await show(registration, call);
  for (const { id } of over) {
    for (const notification of await registration.getNotifications({ tag: `call ${id}` })) notification.close();
  }
}

/** As the worker does it. @param {ServiceWorkerRegistration} registration @param {import("./state.js").Call} call */
function show(registration, { id, peer, media, telephone }) {
  const options = {
    body: `${say("ringing")} · ${say(telephone ? "telephone call" : media.includes("video") ? "video call" : "app call")}`,
    tag: `call ${id}`,
    icon: "/web/icons/icon-192.png",
    requireInteraction: true,
    data: { type: "call", call: id, from: peer, device: device() },
    actions: [{ action: "answer", title: say("answer") }, { action: "decline", title: say("decline") }],
  };
  return registration.showNotification(nameOf(peer), options);
}
