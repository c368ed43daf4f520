/**
 * The certificates of calls that run. A call has one for all its connections, in whichever page or tab: by it the other
 * side sees that it is the same device, and the safety code goes on to hold.
 *
 * A certificate can be stored, its private key be read by no script (W3C WebRTC, RTCCertificate).
 */

const STORE = "certificates";

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((then, fail) => {
    const asked = indexedDB.open("wephone", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => then(asked.result);
    asked.onerror = () => fail(asked.error);
  });
}

/** @template T @param {(store: IDBObjectStore) => IDBRequest<T>} what @returns {Promise<T>} */
async function done(what) {
  const database = await opened();
  try {
    return await new Promise((then, fail) => {
      const asked = what(database.transaction(STORE, "readwrite").objectStore(STORE));
      asked.onsuccess = () => then(asked.result);
      asked.onerror = () => fail(asked.error);
    });
  } finally {
    database.close(); // after what it still does
  }
}

/** @param {string} call @param {RTCCertificate} certificate */
export async function keepCertificate(call, certificate) {
  await done((store) => store.put(certificate, call)).catch(() => {}); // a browser that keeps none makes another
}

/** What the page before had, or another tab. @param {string} call @returns {Promise<RTCCertificate | null>} */
export async function keptCertificate(call) {
  return (await done((store) => store.get(call)).catch(() => null)) ?? null;
}

/** The others' calls are over. @param {readonly string[]} calls */
export async function forgetCertificatesBut(calls) {
  const known = await done((store) => store.getAllKeys()).catch(() => []);
  for (const call of known) if (!calls.includes(String(call))) await done((store) => store.delete(call)).catch(() => {});
}
