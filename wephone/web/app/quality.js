/**
 * How a call sounds, from what the connection counts: three bars, and the cause when they are few.
 *
 * @typedef {import("./state.js").Quality} Quality
 */

const POOR = { lost: 0.1, roundTrip: 0.4, jitter: 0.08 };
const FAIR = { lost: 0.03, roundTrip: 0.2, jitter: 0.04 };
const SILENT = 1e-6; // joules of a microphone in a second that picks up nothing at all

/**
 * What matters of a report (W3C webrtc-stats).
 *
 * @param {RTCStatsReport} report
 */
export function read(report) {
  const found = { packets: 0, lost: 0, energy: 0, sent: 0, at: 0, jitter: 0, lostThere: 0, roundTrip: 0, isRelayed: false };
  /** @type {Map<string, any>} */
  const all = new Map();
  report.forEach((/** @type {any} */ each) => all.set(each.id, each));
  for (const each of all.values()) {
    if (each.type === "inbound-rtp" && each.kind === "audio") {
      found.packets = each.packetsReceived;
      found.lost = Math.max(0, each.packetsLost);
      found.jitter = each.jitter ?? 0;
      found.at = each.timestamp;
    } else if (each.type === "media-source" && each.kind === "audio") found.energy = each.totalAudioEnergy ?? 0;
    else if (each.type === "outbound-rtp" && each.kind === "audio") found.sent = each.packetsSent;
    else if (each.type === "remote-inbound-rtp" && each.kind === "audio") found.lostThere = each.fractionLost ?? 0;
    else if (each.type === "candidate-pair" && each.nominated && each.state === "succeeded") {
      found.roundTrip = each.currentRoundTripTime ?? 0;
      found.isRelayed = all.get(each.localCandidateId)?.candidateType === "relay";
    }
  }
  return found;
}

const MOST = { packets: 100_000_000, us: 60_000_000 }; // as the protocol has it

/**
 * What was heard by all connections of a call, for the server; null if nothing was.
 *
 * @param {string} call @param {readonly RTCStatsReport[]} reports of each connection, the last one last
 * @returns {Extract<import("../protocol.js").ClientMessage, {type: "heard"}> | null}
 */
export function inAll(call, reports) {
  const all = reports.map(read);
  const sum = (/** @type {"packets" | "lost"} */ name) => all.reduce((before, each) => before + each[name], 0);
  const us = (/** @type {number} */ seconds) => Math.min(Math.round(seconds * 1e6), MOST.us);
  const packets = Math.min(sum("packets"), MOST.packets);
  if (!packets) return null;
  const trip = all.findLast(({ roundTrip }) => roundTrip)?.roundTrip;
  return {
    type: "heard", call, packets, lost: Math.min(sum("lost"), MOST.packets),
    jitter_us: us(Math.max(...all.map(({ jitter }) => jitter))), ...(trip ? { rtt_us: us(trip) } : {}),
  };
}

/**
 * What it was like between two readings.
 *
 * @param {ReturnType<typeof read>} before @param {ReturnType<typeof read>} now
 * @param {{muted: boolean, held: boolean}} call
 * @returns {Quality}
 */
export function judge(before, now, { muted, held }) {
  if (held) return { bars: 3, cause: "none" };
  const packets = now.packets - before.packets;
  const lost = now.lost - before.lost;
  if (packets <= 0) return { bars: 0, cause: "no_packets" };
  if (!muted && now.sent <= before.sent) return { bars: 0, cause: "unsent" };
  const share = lost / Math.max(1, packets + lost);
  if (share > POOR.lost) return { bars: 1, cause: "loss" };
  if (now.roundTrip > POOR.roundTrip || now.jitter > POOR.jitter) return { bars: 1, cause: "delay" };
  if (!muted && now.lostThere > POOR.lost) return { bars: 1, cause: "lost_there" };
  if (muted) return { bars: 3, cause: "muted" };
  if (now.energy - before.energy < SILENT) return { bars: 2, cause: "no_energy" };
  if (share > FAIR.lost) return { bars: 2, cause: "loss" };
  if (now.roundTrip > FAIR.roundTrip || now.jitter > FAIR.jitter) return { bars: 2, cause: "delay" };
  return { bars: 3, cause: now.isRelayed ? "relay" : "none" };
}
