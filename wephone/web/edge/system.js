/** What the system has for a call: the buttons of headsets and lock screens, and a screen that stays on. */

/** @type {WakeLockSentinel | null} */
let awake = null;
/** Is a call running? The system lets the screen go whenever the page is out of sight. */
let isWanted = false;

document.addEventListener("visibilitychange", () => void holdScreen());

/** @param {boolean} wanted */
export function keepScreenOn(wanted) {
  isWanted = wanted;
  return holdScreen();
}

/** One after the other: two that ask at once would each get a lock. */
let turn = Promise.resolve();
const holdScreen = () => (turn = turn.then(hold));

async function hold() {
  const isSeen = document.visibilityState === "visible";
  if (isWanted && isSeen && (!awake || awake.released) && "wakeLock" in navigator) {
    awake = await navigator.wakeLock.request("screen").catch(() => null); // a battery that is low says no
  }
  if (isWanted) return;
  await awake?.release();
  awake = null;
}

/** @typedef {Readonly<{hangup: () => void, togglemicrophone: () => void, togglecamera: () => void}>} Buttons */

/**
 * Who is talked to, and what the system's own buttons do; null for nobody.
 *
 * @param {{peer: string, muted: boolean, camera: boolean} | null} call @param {Buttons | null} buttons
 */
export function showCall(call, buttons) {
  const session = navigator.mediaSession;
  if (!session) return;
  session.metadata = call && new MediaMetadata({
    title: call.peer, artist: "WePhone", artwork: [{ src: "/web/icons/icon-512.png", sizes: "512x512", type: "image/png" }],
  });
  session.playbackState = call ? "playing" : "none";
  for (const name of /** @type {const} */ (["hangup", "togglemicrophone", "togglecamera"])) {
    try {
      session.setActionHandler(/** @type {any} */ (name), buttons && buttons[name]); // TypeScript knows not all of them
    } catch {
      // Nor do Firefox and Safari.
    }
  }
  if (!call) return;
  session.setMicrophoneActive?.(!call.muted);
  session.setCameraActive?.(call.camera);
}
