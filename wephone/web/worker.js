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
