/** A list that comes page by page: the newest first, older ones when somebody asks. */

import { useEffect, useRef, useState } from "../vendor/preact.js";

/**
 * @template T
 * @typedef {{rows: T[] | null | undefined, more: (() => void) | null, flows: (() => void) | null,
 *   isLoading: boolean, again: () => void, renew: () => void}} Paged
 * `rows`: undefined while the first page comes, null if it could not be had. `more`: null on the last page; `flows`: the same
 * for a list that is scrolled to its end, and null too while a page comes, or if the last one had nothing in it. `renew`: the
 * first page once more, with nothing to be seen of the asking.
 */

/**
 * @template T
 * @param {(cursor: any) => Promise<{rows: T[], next: any}>} load `cursor` is null for the first page
 * @param {readonly unknown[]} on @returns {Paged<T>}
 */
export function usePages(load, on) {
  const [rows, setRows] = useState(/** @type {T[] | null | undefined} */ (undefined));
  const [next, setNext] = useState(/** @type {any} */ (null));
  const [isLoading, setLoading] = useState(false);
  const [isEmpty, setEmpty] = useState(false); // the last page
  const [turn, setTurn] = useState(0);
  const asked = useRef(0); // an answer to an earlier question is no answer to this one
  const read = async (/** @type {any} */ cursor, /** @type {T[]} */ known, isQuiet = false) => {
    const mine = ++asked.current;
    if (!isQuiet) setLoading(true);
    try {
      const page = await load(cursor);
      if (mine !== asked.current) return;
      setRows([...known, ...page.rows]);
      setNext(page.next);
      setEmpty(!page.rows.length);
    } catch {
      if (mine !== asked.current) return;
      if (isQuiet) return; // what is known stays
      if (cursor === null) setRows(null);
      setEmpty(true); // what could not be had is asked for again by hand
    }
    if (mine === asked.current) setLoading(false);
  };
  useEffect(() => void read(null, []), [...on, turn]);
  const more = next === null || next === undefined ? null : () => void read(next, rows ?? []);
  return {
    rows,
    more,
    flows: isLoading || isEmpty ? null : more,
    isLoading,
    again: () => setTurn((count) => count + 1),
    renew: () => void read(null, [], true),
  };
}
