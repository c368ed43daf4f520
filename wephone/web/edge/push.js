/** The browser's push service: the only file that subscribes to it. */

const READY = 10_000; // ms for the worker to be at work

/** Can this browser be woken? Safari can once the app is installed. */
export const canBeWoken = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** Has the person said no to notifications? Only they can change that, in the browser's own settings. */
export const isRefused = () => Notification.permission === "denied";

/** Ask whether notifications may be shown: true if they may. */
export const allowed = async () => (await Notification.requestPermission()) === "granted";

/** The worker of this page. @returns {Promise<ServiceWorkerRegistration>} */
export function worker() {
  return Promise.race([
    navigator.serviceWorker.ready,
    new Promise((_, late) => setTimeout(() => late(new Error("no service worker")), READY)),
  ]);
}

/**
 * The subscription of this browser with that key of the server; a new one, if there is none or one of another key.
 *
 * @param {string} key base64url @returns {Promise<PushSubscription>}
 */
export async function subscribed(key) {
  const { pushManager } = await worker();
  const wanted = octets(key);
  const known = await pushManager.getSubscription();
  if (known && isSame(known.options.applicationServerKey, wanted)) return known;
  await known?.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: wanted });
}

/** No longer, whoever uses this browser next. */
export async function unsubscribed() {
  const { pushManager } = await worker();
  await (await pushManager.getSubscription())?.unsubscribe();
}

/** @param {ArrayBuffer | null} one @param {Uint8Array} other */
function isSame(one, other) {
  const octetsOfOne = new Uint8Array(one ?? new ArrayBuffer(0));
  return octetsOfOne.length === other.length && octetsOfOne.every((octet, place) => octet === other[place]);
}

/** @param {string} text base64url */
function octets(text) {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
