/** The settings that the server runs with, and where each comes from. */

import { html, useState } from "../../vendor/preact.js";
import { useLoaded } from "../../app/parts.js";
import { save } from "../csv.js";
import { Mark, NotLoaded, Table, Waiting } from "../parts.js";
import { asked } from "../watch.js";
import { say } from "../words.js";

export function View() {
  const [found, again] = useLoaded(async () => (await asked("GET", "/api/operator/settings")).settings, []);
  const [wanted, setWanted] = useState("");
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const shown = found.filter((/** @type {any} */ each) => `${each.name} ${each.text}`.toLowerCase().includes(wanted.toLowerCase()));
  const columns = ["setting", "value", "source", "what it is"].map((name) => ({ name: say(name) }));
  const keep = () => save("settings.csv", [["name", "value", "source", "default"], ...found.map((/** @type {any} */ each) => [each.name, each.value, each.source, each.default])]);
  return html`<section aria-labelledby="settings-title"><div class="head"><h1 id="settings-title">${say("settings")}</h1>
      <button type="button" class="quiet" onClick=${keep}>${say("csv")}</button></div>
    <p class="hint">${say("settings why")}</p>
    <form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}><label>${say("filter")}
      <input value=${wanted} onInput=${(/** @type {any} */ event) => setWanted(event.target.value)} /></label></form>
    <${Table} kind="settings" label=${say("settings")} columns=${columns}>${shown.map((/** @type {any} */ each) => html`<tr key=${each.name}>
      <td><code>${each.name}</code></td>
      <td>${each.value ? html`<code class="wraps">${each.value}</code>` : html`<span class="hint">${say("not set")}</span>`}</td>
      <td class="one"><${Mark} tone=${each.source === "default" ? "" : "good"} text=${say(`source ${each.source}`)} /></td>
      <td><bdi lang="en">${each.text}</bdi></td></tr>`)}</${Table}>
  </section>`;
}
