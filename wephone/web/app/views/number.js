/** Telephone numbers as people write them. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { nameOf } from "../names.js";
import { spoken } from "../words.js";

/** A string of digits and separators is always a telephone number. @param {string} typed */
export const isNumber = (typed) => /^[+(]?[\d\s().\-/#*]+$/.test(typed) && /\d/.test(typed);

/** A number that is masked or not said: nobody can call it. @param {string} peer */
export const isHidden = (peer) => /[*•(]/.test(peer);

/** A number as people write it, and its country's name, once its rules are loaded. @param {string} typed */
export function useNumber(typed) {
  const [shown, setShown] = useState({ text: typed, country: "" });
  useEffect(() => {
    let isWanted = true;
    if (!isNumber(typed)) return undefined;
    void import("../../vendor/phone-numbers.js").then(({ AsYouType }) => {
      const formatter = new AsYouType();
      const text = formatter.input(typed);
      const code = formatter.getCountry();
      const country = code ? (new Intl.DisplayNames(spoken(), { type: "region" }).of(code) ?? "") : "";
      if (isWanted) setShown({ text, country });
    });
    return () => {
      isWanted = false;
    };
  }, [typed, spoken()]);
  return shown;
}

/** Who is talked to: what they are called here, or a masked number as it is, another number as its country writes it. @param {{name: string}} props */
export function Called({ name }) {
  const isWhole = /^\+\d+$/.test(name);
  const { text } = useNumber(isWhole ? name : "");
  return html`<bdi>${(isWhole && text) || nameOf(name)}</bdi>`;
}
