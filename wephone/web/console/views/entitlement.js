/** May an account call telephones, where to and how much; granted and taken back here. */

import { html, useState } from "../../vendor/preact.js";
import { Field } from "../../app/parts.js";
import { Act, Fault } from "../act.js";
import { Facts, mayAct } from "../parts.js";
import { asked } from "../watch.js";
import { moment, say } from "../words.js";

const LIMITS = /** @type {const} */ (["concurrent_calls", "calls_per_hour", "minutes_per_day", "call_minutes"]);
const USUAL = { countries: [], concurrent_calls: 2, calls_per_hour: 20, minutes_per_day: 60, call_minutes: 60 };

/** @param {{telephone: any, path: string, again: () => void}} props `path`: of the account */
export function Entitlement({ telephone, path, again }) {
  const [act, setAct] = useState(/** @type {"grant" | "ungrant" | null} */ (null));
  const { name, granted, used } = telephone;
  const close = () => setAct(null);
  const done = () => {
    close();
    again();
  };
  const of = (/** @type {number} */ n, /** @type {number} */ most) => say("used of", { n, of: most });
  return html`<h2>${say("entitlement")}</h2><div class="doc">
    ${granted ? html`<${Facts} rows=${[
      [say("countries"), html`<bdi>${granted.countries.join(", ")}</bdi>`],
      [say("concurrent_calls"), of(used.calls, granted.concurrent_calls)],
      [say("calls_per_hour"), of(used.calls_of_hour, granted.calls_per_hour)],
      [say("minutes_per_day"), of(Math.ceil(used.seconds_of_day / 60), granted.minutes_per_day)],
      [say("call_minutes"), String(granted.call_minutes)],
      [say("granted by"), html`<bdi>${telephone.by}</bdi>, <time>${moment(telephone.at)}</time>`],
    ]} />` : html`<p class="hint">${say("not entitled")}</p>`}
    ${mayAct() ? html`<div class="acts"><button type="button" class="quiet" onClick=${() => setAct("grant")}>${say(granted ? "grant anew" : "grant")}</button>
      ${granted ? html`<button type="button" class="quiet danger" onClick=${() => setAct("ungrant")}>${say("ungrant")}</button>` : null}</div>` : null}
    ${act === "grant" ? html`<${Grant} name=${name} granted=${granted ?? USUAL} path=${path} done=${done} close=${close} />` : null}
    ${act === "ungrant" ? html`<${Act} title=${say("ungrant title", { name })} word=${say("ungrant")} danger=${true} intro=${say("ungrant why")} supposed=${null}
      isWordless=${true} send=${(/** @type {string} */ _, /** @type {any} */ headers) => asked("DELETE", `${path}/telephone`, undefined, headers)} done=${done} close=${close} />` : null}
  </div>`;
}

/** @param {{name: string, granted: any, path: string, done: () => void, close: () => void}} props */
function Grant({ name, granted, path, done, close }) {
  const [countries, setCountries] = useState(granted.countries.join(" "));
  const [limits, setLimits] = useState(Object.fromEntries(LIMITS.map((each) => [each, String(granted[each])])));
  const send = async (/** @type {string} */ _, /** @type {any} */ headers) => {
    const named = countries.toUpperCase().split(/[\s,，、]+/).filter(Boolean);
    if (!named.length) throw new Fault(say("no countries"));
    const wrong = LIMITS.find((each) => !/^\d+$/.test(limits[each]));
    if (wrong) throw new Fault(say("no figure", { name: say(wrong), value: limits[wrong] }));
    const figures = Object.fromEntries(LIMITS.map((each) => [each, Number(limits[each])]));
    return asked("PUT", `${path}/telephone`, { countries: named, ...figures }, headers);
  };
  return html`<${Act} title=${say("grant title", { name })} word=${say("grant")} intro=${say("grant why")} supposed=${null} isWordless=${true} send=${send} done=${done} close=${close}>
    <${Field} id="grant-countries" label=${say("countries")} hint=${say("countries hint")} value=${countries} onInput=${setCountries} />
    ${LIMITS.map((each) => html`<${Field} key=${each} id=${`grant-${each}`} label=${say(each)} value=${limits[each]}
      onInput=${(/** @type {string} */ value) => setLimits({ ...limits, [each]: value.trim() })} />`)}
  </${Act}>`;
}
