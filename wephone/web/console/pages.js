/** A list that comes page by page: the newest first, older ones when somebody asks. */

import { useEffect, useRef, useState } from "../vendor/preact.js";

/**
 * @template T
 * @typedef {{rows: T[] | null | undefined, more: (() => void) | null, flows: (() => void) | null,
 *   isLoading: boolean, again: () => void, precede: (newest: T) => Promise<void>}} Paged
 * `rows`: undefined while the first page comes, null if it could not be had. `more`: null on the last page; `flows`: the same
 * for a list that is scrolled to its end, and null too while a page comes, or if the last one had nothing in it. `precede`: what
 * has come since is put before the rows, with nothing to be seen of the asking.
 */

const MOST = 10_000; // rows that are kept once new ones go before them; older ones are fetched anew

/**
 * @template T
 * @param {(cursor: any) => Promise<{rows: T[], next: any}>} load `cursor` is null for the first page
 * @param {readonly unknown[]} on
 * @param {(newest: T) => Promise<{rows: T[], next: any}>} [newer] what came after this row: `next` is null if nothing lies between
 * @param {(row: T) => any} [cursorAt] the cursor of the page behind this row
 * @returns {Paged<T>}
 */
export function usePages(load, on, newer, cursorAt) {
  const [rows, setRows] = useState(/** @type {T[] | null | undefined} */ (undefined));
  const [next, setNext] = useState(/** @type {any} */ (null));
  const [isLoading, setLoading] = useState(false);
  const [isEmpty, setEmpty] = useState(false); // the last page
  const [turn, setTurn] = useState(0);
  const asked = useRef(0); // an answer to an earlier question is no answer to this one
  const read = async (/** @type {any} */ cursor, /** @type {T[]} */ known) => {
    const mine = ++asked.current;
    setLoading(true);
    try {
      const page = await load(cursor);
      if (mine !== asked.current) return;
      setRows([...known, ...page.rows]);
      setNext(page.next);
      setEmpty(!page.rows.length);
    } catch {
      if (mine !== asked.current) return;
      if (cursor === null) setRows(null);
      setEmpty(true); // what could not be had is asked for again by hand
    }
    if (mine === asked.current) setLoading(false);
  };
  const precede = async (/** @type {T} */ newest) => {
    const mine = asked.current;
    const page = await newer?.(newest).catch(() => null);
    if (mine !== asked.current || !page?.rows.length) return; // what is known stays
    const all = page.next === null ? [...page.rows, ...(rows ?? [])] : page.rows;
    setRows(all.slice(0, MOST));
    if (page.next !== null) setNext(page.next);
    else if (all.length > MOST) setNext(cursorAt?.(all[MOST - 1]));
    setEmpty(false);
  };
  useEffect(() => void read(null, []), [...on, turn]);
  const more = next === null || next === undefined ? null : () => void read(next, rows ?? []);
  return {
    rows,
    more,
    flows: isLoading || isEmpty ? null : more,
    isLoading,
    again: () => setTurn((count) => count + 1),
    precede,
  };
}
