/** Is the journal whole? A visible, dated answer; the last checkpoint; a copy, and how to check it without WePhone. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Copied, useLoaded } from "../../app/parts.js";
import { Act } from "../act.js";
import { hand } from "../csv.js";
import { Facts, Mark, NotLoaded, Said, Table, Waiting, epoch, faultIn, mayAct, useWatch } from "../parts.js";
import { asked, watch } from "../watch.js";
import { figure, moment, say } from "../words.js";

export function View() {
  const { overview } = useWatch();
  const [found, again] = useLoaded(all, [epoch()]);
  const [isAccepting, setAccepting] = useState(false);
  const lost = overview?.alarms.find(({ alarm }) => alarm === "evidence_lost");
  return html`<section aria-labelledby="evidence-title"><h1 id="evidence-title">${say("evidence")}</h1>
    ${lost ? html`<div class="note bad" role="alert"><b>${say("alarm evidence_lost")}</b><code>${lost.text}</code>
      ${mayAct() ? html`<div class="acts"><button type="button" class="main danger" onClick=${() => setAccepting(true)}>${say("acknowledge")}</button></div>` : null}</div>` : null}
    <${Verify} />
    ${found === undefined ? html`<${Waiting} />` : found === null ? html`<${NotLoaded} again=${again} />` : html`<${Checkpoint} found=${found} again=${again} />`}
    <${Export} found=${found} />
    ${isAccepting ? html`<${Act} title=${say("acknowledge")} word=${say("acknowledge")} danger=${true} intro=${say("acknowledge why")} supposed=${null}
      send=${(/** @type {string} */ why, /** @type {any} */ headers) => asked("POST", "/api/operator/audit/acknowledge", { why }, headers)}
      done=${() => { setAccepting(false); again(); }} close=${() => setAccepting(false)} />` : null}
  </section>`;
}

async function all() {
  const [{ heads }, key, { checkpoints }] = await Promise.all([
    asked("GET", "/api/operator/audit/head"), asked("GET", "/api/operator/audit/key"), newest(),
  ]);
  return { heads, key, last: checkpoints.at(-1) ?? null };
}

/** The last page of the signed checkpoints. */
async function newest() {
  let page = await asked("GET", "/api/operator/audit/checkpoints?limit=1000");
  for (let next = page; next.checkpoints.length === 1000;) {
    next = await asked("GET", `/api/operator/audit/checkpoints?limit=1000&after=${next.checkpoints.at(-1).number}`);
    if (next.checkpoints.length) page = next;
  }
  return page;
}

function Verify() {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [progress, setProgress] = useState(/** @type {{done: number, of: number} | null} */ (null));
  const [fault, setFault] = useState("");
  const isBusy = progress !== null;
  useEffect(() => {
    if (!isBusy) return undefined;
    const timer = setInterval(() => asked("GET", "/api/operator/audit/progress").then((seen) => setProgress((known) => known && seen), () => {}), 500);
    return () => clearInterval(timer);
  }, [isBusy]);
  const verify = async () => {
    setProgress({ done: 0, of: 0 });
    setFault("");
    setAnswer(null);
    try {
      const found = await asked("POST", "/api/operator/audit/verify", {});
      setAnswer({ ...found, at: watch.overview?.at ?? Date.now() * 1000, by: watch.overview?.name });
    } catch (error) {
      setFault(faultIn(error));
    }
    setProgress(null);
  };
  return html`<div class="doc"><div class="top"><h2>${say("whole")}</h2>
      <button type="button" class="main" disabled=${isBusy} onClick=${verify}>${say("verify now")}</button></div>
    <p class="hint">${say("verify why")}</p>
    ${progress ? html`<div role="status"><progress max=${progress.of || 1} value=${progress.of ? progress.done : undefined} aria-label=${say("verifying")}></progress>
      <p class="hint">${progress.of ? say("verified so far", progress) : say("verifying")}</p></div>` : null}
    <${Said} text=${fault} />
    ${answer ? html`<${Result} answer=${answer} />` : null}
  </div>`;
}

/** @param {{answer: any}} props */
function Result({ answer }) {
  const columns = [{ name: say("figure node") }, { name: say("whole") }, { name: say("entries"), number: true }, { name: say("names beside") }, { name: say("head") }];
  return html`<div class=${`verdict ${answer.ok ? "" : "bad"}`} role="status">
      <strong>${say(answer.ok ? "is whole" : "is not whole")}</strong>
      <p>${say("verified at", { at: moment(answer.at), entries: answer.entries, by: answer.by })}</p>
      ${answer.lost ? html`<p>${say("lost")} <code>${answer.lost}</code></p>` : null}
      ${answer.checkpoints.fault ? html`<p>${say("bad checkpoint")} <code>${answer.checkpoints.fault}</code></p>` : null}</div>
    <${Table} label=${say("whole")} columns=${columns}>${answer.chains.map((/** @type {any} */ chain) => html`<tr key=${chain.node}>
      <td><bdi>${chain.node}</bdi></td>
      <td><${Mark} tone=${chain.ok ? "good" : "bad"} text=${say(chain.ok ? "yes" : "no")} />${chain.fault ? html` <code>${`${chain.fault.seq}: ${chain.fault.fault}`}</code>` : null}</td>
      <td class="number">${figure(chain.head.seq)}</td>
      <td>${chain.names ? say("names counted", chain.names) : ""}</td>
      <td><code>${chain.head.hash.slice(0, 16)}…</code></td></tr>`)}</${Table}>`;
}

/** @param {{found: any, again: () => void}} props */
function Checkpoint({ found, again }) {
  const [fault, setFault] = useState("");
  const sign = () => asked("POST", "/api/operator/audit/checkpoints").then(again, (error) => setFault(faultIn(error)));
  const { last, key } = found;
  const keep = () => hand("checkpoint.json", `${JSON.stringify({ document: last.document, signature: last.signature })}\n`, "application/json");
  return html`<div class="doc"><div class="top"><h2>${say("checkpoint")}</h2>
      ${mayAct() ? html`<button type="button" class="quiet" onClick=${sign}>${say("sign now")}</button>` : null}</div>
    <p class="hint">${say("checkpoint why")}</p><${Said} text=${fault} />
    ${last ? html`<${Facts} rows=${[
      [say("number"), figure(last.number)],
      [say("when"), moment(last.at)],
      [say("figure epoch"), figure(last.epoch)],
      [say("head"), html`<ul>${last.heads.map((/** @type {any} */ head) => html`<li key=${head.node}><bdi>${head.node}</bdi> ${figure(head.seq)} <code>${head.hash}</code></li>`)}</ul>`],
      [say("signed by"), html`<code>${last.key}</code>`],
      [say("acknowledges"), last.acknowledges && html`<bdi>${last.acknowledges}</bdi>`],
    ]} />
    <div class="acts"><button type="button" class="quiet" onClick=${keep}>${say("save checkpoint")}</button></div>`
      : html`<p class="hint">${say("no checkpoint")}</p>`}
    <${Copied} label=${say("public key")} text=${key.key} /></div>`;
}

/** @param {{found: any}} props */
function Export({ found }) {
  const key = found?.key.key ?? "ed25519:...";
  return html`<div class="doc"><h2>${say("export")}</h2><p>${say("export why")}</p>
    <div class="acts"><a class="quiet tall" href="/api/operator/audit/export" download="journal.jsonl">${say("save journal")}</a>
      <a class="quiet tall" href="/api/operator/audit/verifier" download="verify.py">${say("save verifier")}</a></div>
    <h3>${say("check yourself")}</h3>
    <ol class="steps"><li>${say("check step 1")}</li>
      <li>${say("check step 2")}<pre class="scrolls" tabindex="0"><code>${`python3 -m venv checking\nchecking/bin/pip install cryptography\nchecking/bin/python verify.py --key ${key} --head checkpoint.json`}</code></pre></li>
      <li>${say("check step 3")}</li></ol>
    <p class="hint">${say("check means")}</p>
    <p class="hint">${say("check cannot")}</p></div>`;
}
