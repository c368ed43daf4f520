/**
 * Microphone, loudspeaker and peer connections: the only file that touches WebRTC.
 *
 * Each call has one `RTCPeerConnection` that carries its sound, and for a while a second one: after a reload, or
 * when the network changed under it, a call gets a fresh connection by an ordinary offer (its fingerprint or its
 * ICE password is new), and the old one is closed when the new one is up.
 *
 * @typedef {import("../core/words.js").Effect} Effect
 * @typedef {import("../core/words.js").Input} Input
 * @typedef {import("../protocol.js").Candidate} Candidate
 * @typedef {{carryOut: (effect: Effect) => void}} Media
 *
 * @typedef {{remote: (call: string, stream: MediaStream) => void, local: (call: string, stream: MediaStream) => void,
 *   state: (call: string, state: RTCPeerConnectionState) => void}} Shown
 */

const BATCH = 30; // ms in which candidates that follow the first gather for one frame
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Devices that were chosen, by their ids; undefined is whatever the system prefers. */
export const chosen = {
  /** @type {string | undefined} */ microphone: undefined,
  /** @type {string | undefined} */ speaker: undefined,
  /** @type {string | undefined} */ camera: undefined,
};

/** Why there is no microphone or camera, in one of a few words. @param {unknown} error */
export function deviceFault(error) {
  const name = /** @type {any} */ (error)?.name;
  if (!window.isSecureContext) return "insecure";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "absent";
  if (name === "NotReadableError" || name === "AbortError") return "in_use";
  return "failed";
}

/** @returns {Promise<MediaStream>} */
export function openMicrophone() {
  if (!navigator.mediaDevices) return Promise.reject(new DOMException("no secure context", "SecurityError"));
  return navigator.mediaDevices.getUserMedia({
    audio: { ...SOUND, ...(chosen.microphone ? { deviceId: { exact: chosen.microphone } } : {}) },
  });
}

/** @returns {Promise<MediaStream>} */
function openCamera() {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  return navigator.mediaDevices.getUserMedia({
    video: { ...size, ...(chosen.camera ? { deviceId: { exact: chosen.camera } } : {}) },
  });
}

export class Calls {
  /** @type {Map<string, CallMedia>} */
  #calls = new Map();

  /**
   * @param {(call: string, input: Input) => void} tell where outcomes go
   * @param {() => Promise<RTCIceServer[]>} servers STUN and TURN servers for the next connection
   * @param {Shown} shown what there is to be heard and seen
   * @param {RTCIceTransportPolicy} [policy] "relay": nobody in a call sees an address of this device
   */
  constructor(tell, servers, shown, policy = "all") {
    this.tell = tell;
    this.servers = servers;
    this.shown = shown;
    this.policy = policy;
  }

  /** @param {Effect} effect */
  carryOut(effect) {
    const call = /** @type {any} */ (effect).call;
    if (effect.effect === "StopMedia") {
      this.#calls.get(call)?.close();
      this.#calls.delete(call);
      return;
    }
    let media = this.#calls.get(call);
    if (!media) this.#calls.set(call, (media = new CallMedia(this, call)));
    media.later(effect);
  }

  /** @param {string} call */
  of(call) {
    return this.#calls.get(call);
  }
}

/** One call's media: what it is asked is done in order, one thing after another. */
class CallMedia {
  #work = Promise.resolve();
  #isClosed = false;
  /** @type {Way | null} the connection that carries the call */
  way = null;
  /** @type {Way | null} the one that is to take its place */
  next = null;
  /** @type {MediaStream | null} */
  microphone = null;
  /** @type {MediaStream | null} */
  camera = null;
  muted = false;
  started = false;
  renewing = false;

  /** @param {Calls} owner @param {string} call */
  constructor(owner, call) {
    this.owner = owner;
    this.call = call;
  }

  /** @param {Effect} effect */
  later(effect) {
    this.#work = this.#work.then(async () => {
      if (this.#isClosed) return;
      try {
        await this.#do(effect);
      } catch (error) {
        this.#failed(effect, error);
      }
    });
  }

  /** The next offer makes a fresh connection: this one has lost its way, or was another page's. */
  renew() {
    this.renewing = true;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.#openUp();
  }

  /** Another microphone, loudspeaker or camera has been chosen. */
  async changeDevices() {
    const old = this.microphone;
    this.microphone = await openMicrophone();
    this.#openUp();
    await (this.next ?? this.way)?.replace("audio", this.microphone.getAudioTracks()[0]);
    stop(old);
  }

  /** What passes, for the quality shown: null before there is a connection. */
  async stats() {
    return this.way ? this.way.pc.getStats() : null;
  }

  close() {
    this.#isClosed = true;
    for (const way of [this.way, this.next]) way?.close();
    stop(this.microphone);
    stop(this.camera);
  }

  /** @param {Effect} effect */
  async #do(effect) {
    switch (effect.effect) {
      case "CreateOffer": return this.#offer(effect);
      case "CreateAnswer": return this.#answer(effect);
      case "ApplyAnswer": return this.#applyAnswer(effect.sdp);
      case "RollBack": return this.#rollBack();
      case "AddCandidates": return (this.next ?? this.way)?.hear(effect.candidates);
      case "StartMedia":
        this.started = true;
        return this.#openUp();
      default: throw new TypeError(`${effect.effect} is no work for media`);
    }
  }

  /** @param {Extract<Effect, {effect: "CreateOffer"}>} effect */
  async #offer({ media, hold }) {
    await this.#openDevices(media);
    const fresh = !this.way || this.renewing;
    this.renewing = false;
    if (fresh) this.next = await this.#makeWay();
    const way = /** @type {Way} */ (this.next ?? this.way);
    await way.carry(this.#tracks(media), hold);
    this.owner.tell(this.call, { input: "OfferCreated", sdp: await way.describe("offer") });
    way.speak();
  }

  /** @param {Extract<Effect, {effect: "CreateAnswer"}>} effect */
  async #answer({ offer, media, hold }) {
    await this.#openDevices(media);
    const same = this.way?.isOf(offer) ?? false;
    if (!same) this.next = await this.#makeWay();
    const way = /** @type {Way} */ (same ? this.way : this.next);
    await way.take("offer", offer);
    await way.carry(this.#tracks(media), hold);
    this.owner.tell(this.call, { input: "AnswerCreated", sdp: await way.describe("answer") });
    way.speak();
    if (!same) this.#moveTo(way);
  }

  /** @param {string} sdp */
  async #applyAnswer(sdp) {
    const way = /** @type {Way} */ (this.next ?? this.way);
    await way.take("answer", sdp);
    if (this.next) this.#moveTo(way);
  }

  async #rollBack() {
    if (this.next) {
      this.next.close();
      this.next = null;
      return;
    }
    const pc = this.way?.pc;
    if (pc?.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
  }

  /** @param {Way} way */
  #moveTo(way) {
    this.way?.close();
    this.way = way;
    this.next = null;
    this.#openUp();
  }

  async #makeWay() {
    const iceServers = await this.owner.servers();
    const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy: this.owner.policy, bundlePolicy: "max-bundle" });
    return new Way(pc, {
      found: (candidates, end) => this.owner.tell(this.call, { input: "CandidatesFound", candidates, end }),
      heard: (stream) => this.owner.shown.remote(this.call, stream),
      state: (state) => this.#changed(pc, state),
    });
  }

  /** @param {RTCPeerConnection} pc @param {RTCPeerConnectionState} state */
  #changed(pc, state) {
    if (this.#isClosed || (this.way && pc !== this.way.pc)) return;
    this.owner.shown.state(this.call, state);
    if (state === "connected") this.owner.tell(this.call, { input: "MediaConnected" });
    const never = state === "failed" && !this.way?.wasConnected;
    if (never) this.owner.tell(this.call, { input: "MediaFailed", why: "no way between the two devices was found" });
  }

  /** @param {readonly string[]} media */
  async #openDevices(media) {
    if (!this.microphone) {
      this.microphone = await openMicrophone();
      this.#openUp();
    }
    if (media.includes("video") && !this.camera) {
      this.camera = await openCamera();
      this.owner.shown.local(this.call, this.camera);
    } else if (!media.includes("video") && this.camera) {
      stop(this.camera);
      this.camera = null;
    }
  }

  /** @param {readonly string[]} media */
  #tracks(media) {
    const audio = this.microphone?.getAudioTracks()[0] ?? null;
    const video = media.includes("video") ? (this.camera?.getVideoTracks()[0] ?? null) : undefined;
    return { audio, video };
  }

  /** Sound leaves only once both sides agree that the call is answered. */
  #openUp() {
    for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = this.started && !this.muted;
  }

  /** @param {Effect} effect @param {unknown} error */
  #failed(effect, error) {
    const isDevice = error instanceof DOMException && ["NotAllowedError", "NotFoundError", "NotReadableError", "SecurityError"].includes(error.name);
    const why = isDevice ? `microphone: ${deviceFault(error)}` : String(error);
    const described = effect.effect === "CreateOffer" || effect.effect === "CreateAnswer";
    this.owner.tell(this.call, { input: described ? "DescriptionFailed" : "MediaFailed", why });
  }
}

/** One peer connection. */
class Way {
  wasConnected = false;
  #said = false; // our description is out: candidates may follow
  /** @type {Candidate[]} */
  #found = [];
  #foundAll = false;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #batch = null;
  /** @type {Candidate[]} */
  #early = [];

  /**
   * @param {RTCPeerConnection} pc
   * @param {{found: (candidates: Candidate[], end: boolean) => void, heard: (stream: MediaStream) => void,
   *   state: (state: RTCPeerConnectionState) => void}} told
   */
  constructor(pc, told) {
    this.pc = pc;
    this.told = told;
    this.remote = new MediaStream();
    pc.onicecandidate = ({ candidate }) => this.#foundOne(candidate);
    pc.ontrack = ({ track }) => {
      this.remote.addTrack(track);
      told.heard(this.remote);
    };
    pc.onconnectionstatechange = () => {
      this.wasConnected ||= pc.connectionState === "connected";
      told.state(pc.connectionState);
    };
  }

  /** Is this offer of the connection that this one is with? A fresh one has another certificate. @param {string} sdp */
  isOf(sdp) {
    const known = this.pc.remoteDescription;
    return known !== null && fingerprint(known.sdp) === fingerprint(sdp);
  }

  /**
   * What to send, and whether anything passes at all.
   *
   * @param {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null | undefined}} tracks
   * @param {boolean} hold
   */
  async carry({ audio, video }, hold) {
    const way = hold ? "inactive" : "sendrecv";
    await this.#transceiver("audio", audio, way);
    const has = this.pc.getTransceivers().some((each) => each.receiver.track.kind === "video");
    if (video !== undefined || has) await this.#transceiver("video", video ?? null, video === undefined ? "inactive" : way);
  }

  /**
   * @param {"audio" | "video"} kind @param {MediaStreamTrack | null} track
   * @param {RTCRtpTransceiverDirection} direction
   */
  async #transceiver(kind, track, direction) {
    const known = this.pc.getTransceivers().find((each) => each.receiver.track.kind === kind);
    const transceiver = known ?? this.pc.addTransceiver(kind, { direction });
    transceiver.direction = direction;
    await transceiver.sender.replaceTrack(track);
  }

  /** @param {"audio" | "video"} kind @param {MediaStreamTrack} track */
  async replace(kind, track) {
    const known = this.pc.getTransceivers().find((each) => each.receiver.track.kind === kind);
    await known?.sender.replaceTrack(track);
  }

  /** @param {"offer" | "answer"} type */
  async describe(type) {
    await this.pc.setLocalDescription(type === "offer" ? await this.pc.createOffer() : await this.pc.createAnswer());
    return /** @type {RTCSessionDescription} */ (this.pc.localDescription).sdp;
  }

  /** @param {"offer" | "answer"} type @param {string} sdp */
  async take(type, sdp) {
    await this.pc.setRemoteDescription({ type, sdp });
    const early = this.#early;
    this.#early = [];
    await this.hear(early);
  }

  /** @param {readonly Candidate[]} candidates */
  async hear(candidates) {
    if (!this.pc.remoteDescription) {
      this.#early.push(...candidates);
      return;
    }
    for (const { candidate, sdp_mid, sdp_mline_index, username_fragment } of candidates) {
      const one = { candidate, sdpMid: sdp_mid, sdpMLineIndex: sdp_mline_index, usernameFragment: username_fragment };
      // One of an earlier connection, or of a kind that this browser does not know, is of no use and no harm.
      await this.pc.addIceCandidate(one).catch(() => {});
    }
  }

  /** Our description has been said: so may our candidates be. */
  speak() {
    this.#said = true;
    this.#tell();
  }

  close() {
    this.pc.close();
    if (this.#batch !== null) clearTimeout(this.#batch);
  }

  /** @param {RTCIceCandidate | null} candidate */
  #foundOne(candidate) {
    if (!candidate || !candidate.candidate) this.#foundAll ||= candidate === null;
    else {
      this.#found.push({
        candidate: candidate.candidate,
        sdp_mid: candidate.sdpMid,
        sdp_mline_index: candidate.sdpMLineIndex,
        username_fragment: candidate.usernameFragment,
      });
    }
    if (this.#said && this.#batch === null) this.#tell();
  }

  /** The first one is told at once, those that follow soon after together. */
  #tell() {
    this.#batch = null;
    if (!this.#found.length && !this.#foundAll) return;
    const found = this.#found.splice(0, 64);
    const end = this.#foundAll;
    this.#foundAll = false;
    this.#batch = setTimeout(() => this.#tell(), BATCH);
    this.told.found(found, end);
  }
}

/** @param {MediaStream | null} stream */
export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** @param {string} sdp */
function fingerprint(sdp) {
  return /^a=fingerprint:(.*)$/m.exec(sdp)?.[1].trim().toLowerCase() ?? "";
}
