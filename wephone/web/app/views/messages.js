/** Conversations, and one of them: what was said, how far it has got, and a line to write on. */

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { draftOf } from "../kept.js";
import { nameOf } from "../names.js";
import { Avatar, Blank, Icon, NotLoaded, Round, Waiting, useAsked } from "../parts.js";
import { dayOf, errorInWords, say, sentence, timeOf } from "../words.js";

/** @typedef {import("../phone.js").Phone} Phone */

/** @param {{phone: Phone, peer: string | null, open: (peer: string | null) => void}} props */
export function Messages({ phone, peer, open }) {
  const hasSome = Object.values(phone.state.conversations).some(({ texts }) => texts.length);
  return html`<section class=${`place split ${peer ? "has-one" : ""}`} aria-labelledby="messages">
    <div class="many"><h1 id="messages">${say("messages")}</h1><${Many} phone=${phone} peer=${peer} open=${open} /></div>
    <div class="one">${peer
      ? html`<${One} key=${peer} phone=${phone} peer=${peer} back=${() => open(null)} />`
      : hasSome ? html`<${Blank} icon="message-circle" title=${say("pick")} text=${say("operator reads")} />` : null}</div>
  </section>`;
}

/** @param {{phone: Phone, peer: string | null, open: (peer: string) => void}} props */
function Many({ phone, peer, open }) {
  const last = (/** @type {import("../state.js").Conversation} */ { texts }) => texts[texts.length - 1];
  const all = Object.entries(phone.state.conversations).filter(([, { texts }]) => texts.length)
    .sort(([, one], [, other]) => last(other).at - last(one).at);
  if (!all.length && phone.state.listing === "asked") return html`<${Waiting} />`;
  if (!all.length && phone.state.listing === "failed") return html`<${NotLoaded} again=${() => phone.moreConversations()} />`;
  if (!all.length) return html`<${Blank} icon="message-circle" title=${say("no messages")} text=${say("no messages next")} />`;
  return html`<ul class="list">${all.map(([name, known]) => html`<li key=${name}>
    <button type="button" class="line" aria-current=${name === peer ? "true" : undefined} onClick=${() => open(name)}>
      <${Avatar} name=${nameOf(name)} />
      <span class="grow"><bdi class="name">${nameOf(name)}</bdi><span class="hint one-line" dir="auto">${last(known).text}</span></span>
      <span class="hint"><time>${dayOf(last(known).at)}</time>
        ${known.unread ? html`<b class="badge"><span aria-hidden="true">${known.unread}</span><span class="unseen">${say("unread count", { count: known.unread })}</span></b>` : null}</span>
    </button></li>`)}</ul>
    ${phone.state.moreConversations ? html`<button type="button" class="quiet" onClick=${() => phone.moreConversations()}>${say("more")}</button>` : null}`;
}

/** @param {{phone: Phone, peer: string, back: () => void}} props */
function One({ phone, peer, back }) {
  const known = phone.state.conversations[peer];
  const texts = known?.texts ?? [];
  const shown = nameOf(peer);
  const [about, ask] = useAsked(() => import("./person.js"));
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const listing = known?.listing ?? "asked";
  useEffect(() => {
    if (listing !== "had") phone.older(peer);
  }, [peer, phone.state.link === "up"]);
  useEffect(() => end.current?.scrollIntoView({ block: "end" }), [texts.length]);
  useEffect(() => {
    if (document.visibilityState === "visible") phone.read(peer);
  }, [known?.unread]);
  return html`
    <header class="line"><button type="button" class="plain narrow" aria-label=${say("back")} onClick=${back}><${Icon} name="arrow-left" /></button>
      <${Avatar} name=${shown} /><h2 class="grow"><bdi>${shown}</bdi></h2>
      <${Round} icon="ellipsis" label=${say("about", { name: shown })} wordless=${true} onClick=${ask} />
      <${Round} icon="video" label=${say("video call")} wordless=${true} onClick=${() => phone.call(peer, ["audio", "video"])} />
      <${Round} icon="phone" label=${say("call")} kind="go" wordless=${true} onClick=${() => phone.call(peer)} /></header>
    <div class="talk" role="log" aria-label=${shown} tabindex="0">
      ${known?.before ? html`<button type="button" class="quiet" onClick=${() => phone.older(peer)}>${say("more")}</button>` : null}
      ${listing === "failed" ? html`<${NotLoaded} again=${() => phone.older(peer)} />` : null}
      ${texts.length || listing === "failed" ? null : listing === "asked" ? html`<${Waiting} />` : html`<p class="hint">${say("operator reads")}</p>`}
      ${texts.map((text) => html`<${Said} key=${text.message} text=${text} isMine=${text.sender === phone.user} />`)}
      <span ref=${end}></span>
    </div>
    ${about ? html`<${about.PersonSheet} user=${peer} name=${phone.state.names[peer] ?? ""} phone=${phone} changed=${() => phone.contactsChanged()} close=${about.close} />` : null}
    <${Writer} send=${(/** @type {string} */ text) => phone.write(peer, text)} place=${draftOf(phone.user, peer)} />`;
}

const MARKS = /** @type {Record<string, string>} */ ({
  waiting: "clock", sent: "check", delivered: "check-check", read: "check-check", failed: "circle-alert",
});

/** @param {{text: import("../state.js").Text, isMine: boolean}} props */
function Said({ text, isMine }) {
  return html`<div class=${`said ${isMine ? "mine" : ""}`}>
    <p dir="auto">${text.text}</p>
    <p class="small"><time>${timeOf(text.at)}</time>${isMine ? html` <span class=${`fate ${text.fate}`}>
      <${Icon} name=${MARKS[text.fate]} />${say(`fate ${text.fate}`)}</span>` : null}</p>
    ${text.fault ? html`<p class="fault">${sentence(errorInWords(text.fault))}</p>` : null}
  </div>`;
}

/** What is being written is kept, also over a reload. @param {{send: (text: string) => void, place: string}} props */
function Writer({ send, place }) {
  const [text, setText] = useState(sessionStorage.getItem(place) ?? "");
  const change = (/** @type {string} */ value) => {
    setText(value);
    sessionStorage.setItem(place, value);
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.trim()) return;
    send(text.trim());
    change("");
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  return html`<form class="writer" onSubmit=${submit}>
    <textarea rows="1" maxlength="4096" aria-label=${say("write")} placeholder=${say("write")} value=${text} dir="auto"
      onInput=${(/** @type {any} */ event) => change(event.target.value)} onKeyDown=${onKeyDown}></textarea>
    <button class="round go" aria-label=${say("send")} disabled=${!text.trim()}><span class="disc"><${Icon} name="send" /></span></button>
  </form>`;
}
