/**
 * What goes on beside the page while there are calls, in the tab that leads: notifications, the system's buttons, the
 * screen.
 *
 * @typedef {import("./state.js").Call} Call
 */

import { keepScreenOn, showCall } from "../edge/system.js";
import { nameOf } from "./names.js";
import { announce } from "./waking.js";

/** The call that somebody talks in, before one that they have put aside. @param {readonly Call[]} calls */
function talkedIn(calls) {
  const running = calls.filter(({ stage }) => !["ringing", "ended"].includes(stage));
  return running.find(({ heldHere }) => !heldHere) ?? running[0] ?? null;
}

/**
 * @param {readonly Call[]} before @param {readonly Call[]} now
 * @param {(action: any) => void} act what a person does, by another button than the page's
 */
export async function changed(before, now, act) {
  const [was, call] = [talkedIn(before), talkedIn(now)];
  const isNews = was?.id !== call?.id || was?.muted !== call?.muted || was?.camera !== call?.camera;
  if (isNews) {
    showCall(call && { ...call, peer: nameOf(call.peer) }, call && {
      hangup: () => act({ do: "hangUp", call: call.id }),
      togglemicrophone: () => act({ do: "mute", call: call.id, muted: !call.muted }),
      togglecamera: () => act({ do: "video", call: call.id, on: !call.camera }),
    });
    await keepScreenOn(call !== null);
  }
  await announce(before, now);
}
