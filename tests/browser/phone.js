// A telephone of a few lines, written from docs/protocol.md alone: what any browser needs to call and be called.
"use strict";

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g), (digits) => parseInt(digits, 16));
const sha256 = (bytes) => crypto.subtle.digest("SHA-256", bytes);
const MEDIA = { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } };

async function ask(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// §7: eight digits, the same for both unless somebody sits between them.
async function safetyCode(call) {
  const prints = (sdp) => {
    const found = [...sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm)];
    return [...new Set(found.map(([, hash, value]) => `${hash.toLowerCase()} ${value.toUpperCase()}`))].sort();
  };
  const text = (words) => new TextEncoder().encode(words);
  const own = { prints: text(prints(call.ours).join("\n")), nonce: unhex(call.nonce) };
  const peer = { prints: text(prints(call.theirs).join("\n")), nonce: unhex(call.theirNonce) };
  const [caller, callee] = call.caller ? [own, peer] : [peer, own];
  const said = [...text("wephone safety code 1")];
  for (const part of [caller.prints, callee.prints, caller.nonce, callee.nonce]) {
    said.push(...new Uint8Array(Uint32Array.of(part.length).buffer).reverse(), ...part);
  }
  const number = new DataView(await sha256(Uint8Array.from(said))).getBigUint64(0) % 10n ** 8n;
  return number.toString().padStart(8, "0");
}

class Phone {
  received = []; // every message, in order
  waiting = [];
  work = Promise.resolve();

  async signIn(name, password) {
    await ask("POST", "/api/session", { name, password, label: "a browser", kind: "browser" });
    const { ticket } = await ask("POST", "/api/ticket");
    this.microphone = await navigator.mediaDevices.getUserMedia(MEDIA);
    this.socket = new WebSocket(`${location.origin.replace("http", "ws")}/api/socket`, "wephone.v1");
    this.socket.onmessage = ({ data }) => {
      this.work = this.work.then(() => this.take(JSON.parse(data))).catch((error) => this.note({ type: "failed", error: `${error}` }));
    };
    this.socket.onclose = ({ code }) => this.note({ type: "failed", error: `the socket closed with ${code}` });
    await new Promise((opened, failed) => Object.assign(this.socket, { onopen: opened, onerror: () => failed(new Error("no socket")) }));
    this.say({ type: "hello", ticket, device: crypto.randomUUID(), device_name: "a browser", client: "a test" });
    return this.hears("welcome");
  }

  say(message) { this.socket.send(JSON.stringify(message)); }

  note(message) {
    this.received.push(message);
    for (const wake of this.waiting.splice(0)) wake();
  }

  // The last message of this type; waits for it if there was none yet.
  async hears(type) {
    for (;;) {
      const failed = this.received.find((message) => ["failed", "error"].includes(message.type));
      if (failed) throw new Error(JSON.stringify(failed));
      const found = this.received.findLast((message) => message.type === type);
      if (found) return found;
      await new Promise((wake) => this.waiting.push(wake));
    }
  }

  // One call. Its own candidates wait until its description is out; the other side's, until theirs is known.
  async begin(id, caller) {
    const { ice_servers } = await ask("GET", "/api/turn");
    const nonce = hex(crypto.getRandomValues(new Uint8Array(32)));
    const pc = new RTCPeerConnection({ iceServers: ice_servers.map(({ urls, username, credential }) => ({ urls, username, credential })) });
    const call = { id, caller, pc, nonce, round: 0, found: [], heard: [], said: false };
    pc.onicecandidate = ({ candidate }) => { call.found.push(candidate); this.tellFound(call); };
    pc.ontrack = ({ streams }) => this.play(streams[0]);
    this.call = call;
    return call;
  }

  speak() { // as the protocol says: nothing is sent before both sides agree on the answer
    const [track] = this.microphone.getTracks();
    track.enabled = true;
  }

  connectMicrophone(call) {
    const [track] = this.microphone.getTracks();
    track.enabled = false;
    call.sender = call.pc.addTrack(track, this.microphone);
  }

  tellFound(call) {
    if (!call.said || !call.found.length) return;
    const found = call.found.splice(0);
    const candidates = found.filter((each) => each && each.candidate).map((each) => ({
      candidate: each.candidate, sdp_mid: each.sdpMid, sdp_mline_index: each.sdpMLineIndex, username_fragment: each.usernameFragment,
    }));
    this.say({ type: "candidates", call: call.id, candidates, end: found.includes(null) });
  }

  async describe(call, kind) {
    await call.pc.setLocalDescription(await (kind === "offer" ? call.pc.createOffer() : call.pc.createAnswer()));
    return call.pc.localDescription.sdp;
  }

  async hearDescription(call, type, sdp) {
    await call.pc.setRemoteDescription({ type, sdp });
    for (const each of call.heard.splice(0)) await call.pc.addIceCandidate(each);
  }

  async place(to) {
    const call = await this.begin(crypto.randomUUID(), true);
    this.connectMicrophone(call);
    call.ours = await this.describe(call, "offer");
    const commitment = hex(await sha256(unhex(call.nonce)));
    this.say({ type: "invite", call: call.id, to, sdp: call.ours, media: ["audio"], commitment });
    call.said = true;
    this.tellFound(call);
  }

  async answer() {
    const { call } = this;
    this.connectMicrophone(call);
    await this.hearDescription(call, "offer", call.theirs);
    call.ours = await this.describe(call, "answer");
    this.say({ type: "answer", call: call.id, sdp: call.ours, nonce: call.nonce });
    call.said = true;
    this.tellFound(call);
  }

  async hold(on) {
    const { call } = this;
    call.pc.getTransceivers()[0].direction = on ? "inactive" : "sendrecv";
    const sdp = await this.describe(call, "offer");
    this.received = this.received.filter((message) => message.type !== "negotiate");
    this.say({ type: "negotiate", call: call.id, kind: "offer", round: call.round++, sdp, media: ["audio"], hold: on });
    return (await this.hears("negotiate")).kind;
  }

  hangUp() { this.say({ type: "hangup", call: this.call.id, reason: "hangup" }); return this.hears("ended"); }

  async take(message) {
    const { call } = this;
    if (message.n) this.say({ type: "ack", n: message.n });
    switch (message.type) {
      case "incoming":
        Object.assign(await this.begin(message.call, false), { theirs: message.sdp, commitment: message.commitment });
        this.say({ type: "delivered", call: message.call });
        this.say({ type: "alerting", call: message.call });
        break;
      case "answered":
        Object.assign(call, { theirs: message.sdp, theirNonce: message.nonce });
        this.speak();
        await this.hearDescription(call, "answer", message.sdp);
        this.say({ type: "reveal", call: call.id, nonce: call.nonce });
        this.code = await safetyCode(call);
        break;
      case "select_answer":
        this.speak();
        break;
      case "reveal":
        if (hex(await sha256(unhex(message.nonce))) !== call.commitment) throw new Error("the nonce was not the promised one");
        call.theirNonce = message.nonce;
        this.code = await safetyCode(call);
        break;
      case "candidates": {
        const found = message.candidates.map((each) => ({ candidate: each.candidate, sdpMid: each.sdp_mid, sdpMLineIndex: each.sdp_mline_index, usernameFragment: each.username_fragment }));
        if (message.end) found.push({ candidate: "", sdpMid: "0" });
        if (!call.pc.remoteDescription) call.heard.push(...found);
        else for (const each of found) await call.pc.addIceCandidate(each);
        break;
      }
      case "negotiate":
        if (message.kind === "decline") await call.pc.setLocalDescription({ type: "rollback" });
        else await this.hearDescription(call, message.kind, message.sdp);
        if (message.kind === "offer") {
          this.say({ type: "negotiate", call: call.id, kind: "answer", round: message.round, sdp: await this.describe(call, "answer"), media: ["audio"], hold: false });
        }
        break;
      case "ended":
        call.pc.close();
        break;
    }
    this.note(message);
  }

  // What is heard. WebAudio alone is given silence by Chromium: an element has to play the stream as well.
  play(stream) {
    const element = new Audio();
    element.srcObject = stream;
    element.play();
    const audio = new AudioContext();
    this.ear = audio.createAnalyser();
    this.ear.fftSize = 8192; // 5.9 Hz at 48 kHz
    audio.createMediaStreamSource(stream).connect(this.ear);
    this.played = { element, audio };
  }

  listen() {
    if (!this.ear) return { frequency: 0, level: 0 };
    const sound = new Float32Array(this.ear.fftSize);
    const spectrum = new Float32Array(this.ear.frequencyBinCount);
    this.ear.getFloatTimeDomainData(sound);
    this.ear.getFloatFrequencyData(spectrum);
    const level = Math.sqrt(sound.reduce((sum, each) => sum + each * each, 0) / sound.length);
    const frequency = spectrum.indexOf(Math.max(...spectrum)) * this.played.audio.sampleRate / this.ear.fftSize;
    return { frequency, level };
  }

  // Waits until a tone is heard that is this high, within two steps of the spectrum.
  async hearsTone(wanted) {
    for (;;) {
      const { frequency, level } = this.listen();
      if (level > 0.05 && Math.abs(frequency - wanted) < 12) return frequency;
      await new Promise((later) => setTimeout(later, 20));
    }
  }

  async hearsNothing() {
    while (this.listen().level > 0.001) await new Promise((later) => setTimeout(later, 20));
  }
}

globalThis.phone = new Phone();
