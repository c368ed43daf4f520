/** What the server would not do, as a sentence. */

import { Refused } from "../../edge/http.js";
import { errorInWords, hasWords, say, sentence, spoken } from "../words.js";

/** @param {unknown} error */
export function faultInWords(error) {
  if (!(error instanceof Refused)) return say("unreachable server");
  if (error.code === "slow_down") return say("slow_down", { seconds: Math.ceil(error.retryAfter) });
  if (hasWords(error.code)) return say(error.code);
  return sentence(spoken() === "en" ? error.message : errorInWords(error.code));
}
