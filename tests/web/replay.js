/** Replays transcripts on the browser's half; answers with what differs. Run as a function by the test. */
async ({ calls, beginnings, histories }) => {
  const call = await import("/web/core/call.js");
  const session = await import("/web/core/session.js");
  const bare = (value) => JSON.stringify(sorted(value));
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object") return value;
    const kept = Object.entries(value).filter(([, each]) => each !== null && each !== undefined);
    return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]));
  };
  const differences = [];
  const compare = (name, is, be) => {
    if (bare(is) !== bare(be)) differences.push({ name, is: bare(is), "should be": bare(be) });
  };
  const { id, peer, media, nonce, incoming } = beginnings;
  for (const { name, role, way, awaited, event, phase, effects } of calls) {
    let state = role === "caller" ? call.place(id, peer, media, nonce)[0] : call.ring(incoming, 0)[0];
    if (awaited) state = call.awaited(id, peer, nonce, media);
    for (const step of way) [state] = call.receive(state, step, 0);
    const [after, done] = call.receive(state, event, 0);
    compare(name, { phase: after.phase, effects: done }, { phase, effects });
  }
  const names = { tell_call: "tellCall", missed_seen: "missedSeen" };
  for (const [number, steps] of histories.entries()) {
    let state = session.begin(beginnings.device, { device_name: "a device", client: "a test", features: ["hold"] });
    for (const [place, { op, told, effects, link, calls: alive }] of steps.entries()) {
      // The last argument of these is an instant, in nanoseconds there.
      const given = op === "received" || op === "tell_call" ? [...told.slice(0, -1), told.at(-1) / 1e6] : told;
      const [after, done] = session[names[op] ?? op](state, ...given);
      const is = { effects: done, link: after.link, calls: after.calls.map((each) => `${each.id} ${each.phase}`) };
      compare(`history ${number}, step ${place}: ${op} ${bare(told)}`, is, { effects, link, calls: alive });
      state = after;
    }
  }
  return differences;
}
