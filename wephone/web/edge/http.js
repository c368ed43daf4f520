/** The server's REST routes: the only file that fetches. The session is an HttpOnly cookie, out of reach of scripts. */

/** The server said no. `code` is for programs, `message` is its sentence, `problem` the document (RFC 9457). */
export class Refused extends Error {
  /** @param {number} status @param {Record<string, any>} problem @param {number} retryAfter seconds */
  constructor(status, problem, retryAfter = 0) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = /** @type {string} */ (problem.code ?? "unknown");
    this.field = /** @type {string | null} */ (problem.field ?? null);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** The server did not answer. */
export class Unreachable extends Error {}

const WITHIN = 15_000; // ms

/**
 * Ask the server; what it answers, or null if that is nothing. Refused or Unreachable.
 *
 * @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>}
 */
export async function ask(method, path, body, headers = {}) {
  const answer = await reached(path, {
    method,
    credentials: "same-origin",
    signal: AbortSignal.timeout(WITHIN),
    headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text().catch((error) => {
    throw new Unreachable(String(error));
  });
  if (answer.ok) return text ? JSON.parse(text) : null;
  throw new Refused(answer.status, parsed(text), Number(answer.headers.get("Retry-After") ?? 0));
}

/** @param {string} path @param {RequestInit} options */
async function reached(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

/** @param {string} text @returns {Record<string, any>} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {}; // a front or a proxy has answered in the server's place
  }
}
