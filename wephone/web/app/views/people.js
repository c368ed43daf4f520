/** People whom this person has noted down, and people to find. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { ask } from "../../edge/http.js";
import { Blank, Icon, NotLoaded, Round, Waiting, useAsked, useLoaded } from "../parts.js";
import { dayOf, say } from "../first-words.js";
import { DialPad, Person, isName } from "./search.js";

/** @typedef {{user: string, name: string}} Contact */
/** @typedef {{user: string, online: boolean, seen_at: number | null}} Presence */

const LOOK = 30_000; // ms between two looks at who is there

/** Who is there, of those who let us see it; it is asked again while somebody looks. @param {string} link */
function usePresence(link) {
  const [present, setPresent] = useState(/** @type {Presence[]} */ ([]));
  useEffect(() => {
    if (link !== "up") return undefined;
    const look = () => document.visibilityState === "visible" && void ask("GET", "/api/presence")
      .then(({ contacts }) => setPresent(contacts), () => setPresent([])); // nothing is said rather than what was
    look();
    const timer = setInterval(look, LOOK);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [link]);
  return link === "up" ? present : [];
}

/** @param {Presence | undefined} presence */
const presenceInWords = (presence) => presence && (presence.online || presence.seen_at)
  ? say(presence.online ? "online" : "last seen", { time: presence.seen_at ? dayOf(presence.seen_at) : "" }) : "";

/** @param {{phone: import("../phone.js").Phone, open: (peer: string) => void}} props */
export function People({ phone, open }) {
  const [typed, setTyped] = useState("");
  const [hasPad, setPad] = useState(false);
  const [fault, setFault] = useState("");
  const [contacts, again] = useLoaded(async () => /** @type {Contact[]} */ ((await ask("GET", "/api/contacts")).contacts), []);
  const changed = () => {
    again();
    phone.contactsChanged();
  };
  const wanted = typed.trim().toLowerCase();
  const [prospects, find] = useAsked(() => import("./prospects.js"));
  useEffect(() => {
    setFault("");
    if (wanted && !prospects) find();
  }, [wanted]);
  const isKnown = contacts?.some(({ user }) => user === wanted) ?? true;
  const canAdd = isName(wanted) && !isKnown && wanted !== phone.user;
  const add = async () => {
    try {
      await ask("PUT", `/api/contacts/${encodeURIComponent(wanted)}`, { name: wanted });
    } catch (error) {
      return setFault((await import("./fault.js")).faultInWords(error)); // what was typed stays
    }
    setTyped("");
    changed();
  };
  return html`<section class="place" aria-labelledby="people">
    <h1 id="people">${say("people")}</h1>
    <div class="search"><${Icon} name="search" />
      <input type="search" inputmode="search" aria-label=${say("search")} placeholder=${say("search")} value=${typed}
        spellcheck=${false} autocapitalize="none" autocomplete="off"
        onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} />
      <button type="button" class="plain" aria-label=${say("dial pad")} aria-expanded=${String(hasPad)} onClick=${() => setPad(!hasPad)}>
        <${Icon} name="grid-3x3" /></button></div>
    ${hasPad ? html`<${DialPad} press=${(/** @type {string} */ key) => setTyped(typed + key)} erase=${() => setTyped(typed.slice(0, -1))} />` : null}
    ${wanted && prospects ? html`<${prospects.Prospects} typed=${typed} phone=${phone} contacts=${contacts ?? []} open=${open} done=${() => setTyped("")} />` : null}
    ${canAdd ? html`<button type="button" class="quiet" onClick=${add}><${Icon} name="user-plus" /> ${say("add")}${say("colon")}<bdi>${wanted}</bdi></button>` : null}
    ${fault ? html`<p role="alert" class="fault">${fault}</p>` : null}
    ${wanted ? null : html`<${Listed} contacts=${contacts} again=${changed} phone=${phone} open=${open} />`}
  </section>`;
}

/** @param {{contacts: Contact[] | null | undefined, again: () => void, phone: import("../phone.js").Phone, open: (peer: string) => void}} props */
function Listed({ contacts, again, phone, open }) {
  const present = usePresence(phone.state.link);
  if (contacts === undefined) return html`<${Waiting} />`;
  if (contacts === null) return html`<${NotLoaded} again=${again} />`;
  if (!contacts.length) return html`<${Blank} icon="users" title=${say("no people")} text=${say("no people next")} />`;
  return html`<ul class="list">${contacts.map((contact) => html`<li key=${contact.user}>
    <${Listing} contact=${contact} presence=${present.find(({ user }) => user === contact.user)} again=${again} phone=${phone} open=${open} /></li>`)}</ul>`;
}

/**
 * @param {{contact: Contact, presence?: Presence, again: () => void, phone: import("../phone.js").Phone,
 *   open: (peer: string) => void}} props
 */
function Listing({ contact: { user, name }, presence, again, phone, open }) {
  const [about, ask] = useAsked(() => import("./person.js"));
  return html`<${Person} user=${user} name=${name} isHere=${presence?.online} presence=${presenceInWords(presence)}
      call=${() => phone.call(user)} write=${() => open(user)}>
      <${Round} icon="ellipsis" label=${say("about", { name })} wordless=${true} onClick=${ask} /></${Person}>
    ${about ? html`<${about.PersonSheet} user=${user} name=${name} phone=${phone} changed=${again} close=${about.close} />` : null}`;
}
