/** What the server would not do, as a sentence. */

import { Refused } from "../../edge/http.js";
import { hasWords, say } from "../words.js";

/** @param {unknown} error */
export function faultInWords(error) {
  if (!(error instanceof Refused)) return say("unreachable server");
  if (error.code === "slow_down") return say("slow_down", { seconds: Math.ceil(error.retryAfter) });
  return hasWords(error.code) ? say(error.code) : error.message;
}
