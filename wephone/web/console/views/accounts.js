/** Accounts, and what is known about their holders. */

import { html, useState } from "../../vendor/preact.js";
import { Blank, Copied, useLoaded } from "../../app/parts.js";
import { Refused } from "../../edge/http.js";
import { Act } from "../act.js";
import { at } from "../address.js";
import { save } from "../csv.js";
import { LongTable } from "../long.js";
import { usePages } from "../pages.js";
import { Facts, Mark, NotLoaded, Waiting, mayAct, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { many, moment, say } from "../words.js";
import { Entitlement } from "./entitlement.js";

const PAGE = 200; // accounts at a time

/** @param {{what: string | null, query: URLSearchParams}} props */
export function View({ what, query }) {
  useWatch();
  return what === null ? html`<${Accounts} query=${query} />` : html`<${Account} key=${what} name=${what} />`;
}

/** @param {any} account */
const roleOf = (account) => (account.operator ? "operator" : account.auditor ? "auditor" : "member");

/** @param {{query: URLSearchParams}} props */
function Accounts({ query }) {
  const [from, role] = [query.get("from") ?? "", query.get("role") ?? ""];
  const load = async (/** @type {string | null} */ first) => {
    const page = await asked("GET", `/api/operator/accounts?${new URLSearchParams({ first: first ?? from, staff: String(role === "staff"), limit: String(PAGE) })}`);
    return { rows: page.accounts, next: page.next };
  };
  const { rows, more, flows, isLoading, again } = usePages(load, [query.toString()]);
  const set = (/** @type {string} */ key, /** @type {string} */ value) => {
    location.hash = at("accounts", null, { from, role, [key]: value });
  };
  const keep = () => save("accounts.csv", [["name", "role", "disabled", "created_at"], ...(rows ?? []).map((/** @type {any} */ each) => [each.name, roleOf(each), each.disabled, new Date(each.created_at / 1000).toISOString()])]);
  return html`<section aria-labelledby="accounts-title"><div class="head"><h1 id="accounts-title">${say("accounts")}</h1>
      <div class="acts"><button type="button" class="quiet" disabled=${!rows?.length} onClick=${keep}>${say("csv")}</button></div></div>
    <form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()} aria-label=${say("filter")}>
      <label>${say("from name")}<input value=${from} spellcheck=${false} autocapitalize="none" onChange=${(/** @type {any} */ event) => set("from", event.target.value.trim())} /></label>
      <label>${say("role")}<select value=${role} onChange=${(/** @type {any} */ event) => set("role", event.target.value)}><option value="" selected=${!role}>${say("all")}</option>
        <option value="staff" selected=${role === "staff"}>${say("role staff")}</option></select></label></form>
    ${rows === undefined ? html`<${Waiting} />` : rows === null ? html`<${NotLoaded} again=${again} />`
      : rows.length ? html`<${Rows} rows=${rows} ends=${flows} />` : html`<${Blank} icon="search" title=${say("no accounts")} />`}
    <div class="acts">${rows?.length ? html`<span class="hint" role="status">${many("account", rows.length)}</span>` : null}
      ${more && rows ? html`<button type="button" class="quiet" disabled=${isLoading} onClick=${more}>${say("further rows")}</button>` : null}</div>
  </section>`;
}

/** @param {{rows: any[], ends: (() => void) | null}} props */
function Rows({ rows, ends }) {
  const columns = ["account", "role", "state", "created"].map((name) => ({ name: say(name) }));
  const drawn = (/** @type {number} */ place) => {
    const each = rows[place];
    return html`<tr key=${each.name} aria-rowindex=${place + 2}>
      <td><a class="link" href=${at("accounts", each.name)}><bdi>${each.name}</bdi></a></td><td>${say(`role ${roleOf(each)}`)}</td>
      <td><${Mark} tone=${each.disabled ? "bad" : "good"} text=${say(each.disabled ? "is disabled" : "is enabled")} /></td>
      <td class="one"><time>${moment(each.created_at)}</time></td></tr>`;
  };
  return html`<${LongTable} label=${say("accounts")} columns=${columns} count=${rows.length} row=${drawn} ends=${ends} />`;
}

/** @param {{name: string}} props */
function Account({ name }) {
  const path = `/api/operator/accounts/${encodeURIComponent(name)}`;
  const [found, again] = useLoaded(() => all(name, path), [name]);
  const [act, setAct] = useState(/** @type {"disable" | "enable" | "reset" | null} */ (null));
  const [password, setPassword] = useState("");
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const back = html`<a class="link tall" href=${at("accounts")}>${say("back to accounts")}</a>`;
  if (found === "none") return html`<${Blank} icon="info" isPage=${true} title=${say("no accounts")}>${back}</${Blank}>`;
  const { account, facts, telephone } = found;
  const send = (/** @type {string} */ _, /** @type {any} */ headers) => (act === "reset" ? asked("POST", `${path}/password`, {}, headers) : asked("PATCH", path, { disabled: act === "disable" }, headers));
  const done = (/** @type {any} */ answer) => {
    setPassword(answer?.password ?? "");
    setAct(null);
    again();
  };
  return html`<section aria-labelledby="account-title">${back}
    <div class="head"><h1 id="account-title"><bdi>${name}</bdi></h1><${Mark} tone=${account.disabled ? "bad" : "good"} text=${say(account.disabled ? "is disabled" : "is enabled")} /></div>
    ${mayAct() ? html`<div class="acts"><button type="button" class=${account.disabled ? "main" : "quiet danger"} onClick=${() => setAct(account.disabled ? "enable" : "disable")}>${say(account.disabled ? "enable" : "disable")}</button>
      <button type="button" class="quiet" onClick=${() => setAct("reset")}>${say("reset password")}</button></div>` : null}
    ${password ? html`<div class="note" role="status"><p>${say("one password")}</p><${Copied} label="" text=${password} /></div>` : null}
    <div class="doc"><${Facts} rows=${[[say("role"), say(`role ${roleOf(account)}`)], [say("created"), moment(account.created_at)]]} />
      <a class="link tall" href=${at("live", null, { user: name })}>${say("live of account")}</a></div>
    <h2>${say("known")}</h2><div class="doc"><${Known} facts=${facts} /><p class="hint">${say("facts by command")} <code>wephone user facts ${name}</code></p></div>
    <${Entitlement} telephone=${telephone} path=${path} again=${again} />
    <h2>${say("said before")}</h2>
    ${facts.history.length ? html`<ul class="story">${facts.history.map((/** @type {any} */ each) => html`<li key=${each.entry}><time>${moment(each.at)}</time>
      ${each.said ? html`<code class="wraps">${JSON.stringify(each.said)}</code>` : html`<span class="hint">${say("erased said")}</span>`}</li>`)}</ul>` : html`<p class="hint">${say("nothing said")}</p>`}
    ${act ? html`<${Act} title=${say(`${act} title`, { name })} word=${say(act === "reset" ? "reset password" : act)} danger=${act !== "enable"} intro=${say(`${act} why`)}
      supposed=${null} isWordless=${true} send=${send} done=${done} close=${() => setAct(null)} />` : null}
  </section>`;
}

/** @param {string} name @param {string} path */
async function all(name, path) {
  try {
    const [{ accounts }, facts, telephone] = await Promise.all([
      asked("GET", `/api/operator/accounts?${new URLSearchParams({ first: name, limit: "1" })}`), asked("GET", `${path}/facts`), asked("GET", `${path}/telephone`),
    ]);
    const account = accounts.find((/** @type {any} */ each) => each.name === name);
    return account ? { account, facts, telephone } : "none";
  } catch (error) {
    if (error instanceof Refused && [400, 404].includes(error.status)) return "none";
    throw error;
  }
}

/** @param {{facts: any}} props */
function Known({ facts }) {
  const basis = (/** @type {string} */ word) => html`<${Mark} tone=${word === "verified" ? "good" : "soon"} text=${say(`${word} word`)} />`;
  const { residence, emergency_address: address } = facts;
  const tone = facts.identity === "verified" ? "good" : facts.identity === "failed" ? "bad" : "soon";
  return html`<${Facts} rows=${[
    [say("residence"), residence ? html`<code>${residence.subdivision ?? residence.country}</code> ${basis(residence.basis)}` : say("unknown")],
    [say("identity"), html`<${Mark} tone=${tone} text=${say(`identity ${facts.identity}`)} />`],
    [say("address for help"), address ? html`<bdi>${address.text}</bdi> <code>${address.country}</code> ${basis(address.basis)}` : say("unknown")],
    [say("numbers"), facts.numbers.length ? facts.numbers.map((/** @type {string} */ each) => html`<code key=${each}>${each} </code>`) : say("none")],
  ]} />`;
}
