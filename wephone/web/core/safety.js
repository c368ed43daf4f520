/** The safety code: see docs/protocol.md §7, and wephone/core/safety.py for the reasoning. */

import { sha256 } from "../vendor/sha256.js";

const FINGERPRINT = /^a=fingerprint:([\w-]+) ([0-9A-Fa-f:]+)\s*$/gm; // RFC 8122 §5
const LABEL = "wephone safety code 1";
const utf8 = new TextEncoder();

/** @param {string} hex */
function octets(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * SHA-256, in hex, of the 32 bytes that the nonce spells.
 *
 * @param {string} nonce
 */
export function commitment(nonce) {
  return hex(sha256(octets(nonce)));
}

/**
 * The DTLS fingerprints of a description, each once, sorted, as "sha-256 AB:CD:...".
 *
 * @param {string} sdp
 */
export function fingerprints(sdp) {
  const found = Array.from(sdp.matchAll(FINGERPRINT), ([, name, value]) => `${name.toLowerCase()} ${value.toUpperCase()}`);
  return [...new Set(found)].sort();
}

/**
 * Eight digits in two groups, the same on both sides if nobody sits between them.
 *
 * @param {string} callerSdp @param {string} calleeSdp @param {string} callerNonce @param {string} calleeNonce
 */
export function safetyCode(callerSdp, calleeSdp, callerNonce, calleeNonce) {
  const parts = [
    utf8.encode(fingerprints(callerSdp).join("\n")),
    utf8.encode(fingerprints(calleeSdp).join("\n")),
    octets(callerNonce),
    octets(calleeNonce),
  ];
  const digest = sha256.create().update(utf8.encode(LABEL));
  for (const part of parts) {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, part.length);
    digest.update(length).update(part);
  }
  const number = new DataView(digest.digest().buffer).getBigUint64(0) % 100_000_000n;
  const digits = String(number).padStart(8, "0");
  return `${digits.slice(0, 4)} ${digits.slice(4)}`;
}
