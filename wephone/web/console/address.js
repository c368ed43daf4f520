/** Where the address says we are: `#decisions/D-0123?outcome=deny`. What is filtered stands there, so that it can be sent. */

import { useEffect, useState } from "../vendor/preact.js";

/** @typedef {{place: string, what: string | null, query: URLSearchParams}} Address */

/** @returns {Address} */
export function here() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [place, what] = path.split("/");
  return { place: place || "overview", what: what ? decodeURIComponent(what) : null, query: new URLSearchParams(query) };
}

/** The address of a place. @param {string} place @param {string | null} [what] @param {Record<string, string>} [query] */
export function at(place, what = null, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const asked = given.length ? `?${new URLSearchParams(given)}` : "";
  return `#${place}${what === null ? "" : `/${encodeURIComponent(what)}`}${asked}`;
}

/** The address, and again whenever it changes. */
export function useAddress() {
  const [found, setFound] = useState(here());
  useEffect(() => {
    const moved = () => setFound(here());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return found;
}
