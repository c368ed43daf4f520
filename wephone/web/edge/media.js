/**
 * Microphone, camera and peer connections: the only file that opens them.
 *
 * Each call has one `RTCPeerConnection` that carries its sound, and for a while a second one: after a reload, or
 * when the network changed under it, a call gets a fresh connection by an ordinary offer (its ICE credentials are
 * new, and its certificate is if the one before is lost), and the old one is closed when the new one is up.
 *
 * @typedef {import("../core/words.js").Effect} Effect
 * @typedef {import("../core/words.js").Input} Input
 * @typedef {{carryOut: (effect: Effect) => void}} Media
 *
 * What a call's media show, beside their state: `camera` says whether ours is on and what keeps it from that, `microphone`
 * what keeps ours from a call that runs, `sees` whether pictures of the other side arrive, `renewed` that a fresh connection
 * carries the call, with these descriptions, `heard` what its connections have counted, once it is over.
 *
 * @typedef {{
 *   remote: (call: string, stream: MediaStream) => void, local: (call: string, stream: MediaStream | null) => void,
 *   state: (call: string, state: RTCPeerConnectionState) => void,
 *   renewed: (call: string, ours: string, theirs: string) => void, microphone: (call: string, fault: string | null) => void,
 *   camera: (call: string, on: boolean, fault: string | null) => void, sees: (call: string, sees: boolean) => void,
 *   early: (call: string) => void, heard: (call: string, counted: RTCStatsReport[]) => void,
 * }} Shown
 */

import { forgetCertificatesBut, keepCertificate, keptCertificate } from "./certificates.js";
import { Way } from "./way.js";

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Devices that were chosen, by their ids; undefined is whatever the system prefers. */
export const chosen = {
  /** @type {string | undefined} */ microphone: undefined,
  /** @type {string | undefined} */ speaker: undefined,
  /** @type {string | undefined} */ camera: undefined,
};

const UNOPENED = ["NotAllowedError", "NotFoundError", "OverconstrainedError", "NotReadableError", "AbortError", "SecurityError"];

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
  return open("microphone", (device) => ({ audio: { ...SOUND, ...device } }));
}

/** @returns {Promise<MediaStream>} */
function openCamera() {
  return open("camera", (device) => ({ video: { width: { ideal: 1280 }, height: { ideal: 720 }, ...device } }));
}

/**
 * The device that was chosen; if it is gone, whatever the system prefers.
 *
 * @param {"microphone" | "camera"} what @param {(device: MediaTrackConstraints) => MediaStreamConstraints} wanted
 * @returns {Promise<MediaStream>}
 */
async function open(what, wanted) {
  if (!navigator.mediaDevices) throw new DOMException("no secure context", "SecurityError");
  const id = chosen[what];
  try {
    return await navigator.mediaDevices.getUserMedia(wanted(id ? { deviceId: { exact: id } } : {}));
  } catch (error) {
    const isGone = ["NotFoundError", "OverconstrainedError"].includes(/** @type {any} */ (error)?.name);
    if (!id || !isGone) throw error;
    return navigator.mediaDevices.getUserMedia(wanted({}));
  }
}

export class Calls {
  /** @type {Map<string, CallMedia>} */
  #calls = new Map();

  /**
   * @param {(call: string, input: Input) => void} tell where outcomes go
   * @param {() => Promise<RTCIceServer[]>} servers STUN and TURN servers for the next connection
   * @param {Shown} shown what there is to be heard and seen
   * @param {() => RTCIceTransportPolicy} policy "relay": nobody in a call sees an address of this device
   * @param {(call: string) => boolean} isTelephone no code holds there, and a gateway takes the same certificate for the same connection
   */
  constructor(tell, servers, shown, policy, isTelephone) {
    this.tell = tell;
    this.servers = servers;
    this.shown = shown;
    this.policy = policy;
    this.isTelephone = isTelephone;
  }

  /** @param {Effect} effect */
  carryOut(effect) {
    const call = /** @type {any} */ (effect).call;
    if (effect.effect === "StopMedia") {
      this.#calls.get(call)?.close();
      this.#calls.delete(call);
      void forgetCertificatesBut([...this.#calls.keys()]);
      return;
    }
    this.make(call).later(effect);
  }

  /** The media of a call that begins. @param {string} call */
  make(call) {
    const known = this.#calls.get(call) ?? new CallMedia(this, call);
    this.#calls.set(call, known);
    return known;
  }

  /** @param {string} call */
  of(call) {
    return this.#calls.get(call);
  }
}

const CONNECT = 30_000; // ms from the answer to sound, as headless peers wait

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
  wantsCamera = false; // the person's own: what the other side shows opens no camera here
  wasConnected = false;
  deadline = 0; // the timer of a call that finds no way
  unheard = false; // there is no microphone to speak into
  /** @type {Promise<RTCCertificate> | null} */
  #certificate = null;
  /** @type {Promise<RTCStatsReport | null>[]} of connections that have carried the call */
  #counted = [];

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

  /** The other side did not take the last offer: the next one has a certificate of its own too. */
  renewKey() {
    this.#certificate = makeCertificate();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.#openUp();
  }

  /** Keys of a telephone, after those that are still to be sent. @param {string} digits true if they go with the sound */
  press(digits) {
    return this.way?.press(digits) ?? false;
  }

  /** Another microphone or camera has been chosen, or the one in use is gone. */
  async changeDevices() {
    if (this.microphone || this.unheard) {
      const old = this.microphone;
      await this.#openMicrophone();
      await (this.next ?? this.way)?.replace("audio", /** @type {MediaStream} */ (this.microphone).getAudioTracks()[0]);
      stop(old);
    }
    if (this.camera) {
      const old = this.camera;
      this.camera = await openCamera();
      await (this.next ?? this.way)?.replace("video", this.camera.getVideoTracks()[0]);
      stop(old);
      this.owner.shown.local(this.call, this.camera);
    }
  }

  /** The microphone, open though the call's own is muted: whoever takes it stops it. */
  overhear() {
    const tracks = this.microphone?.getAudioTracks().map((track) => track.clone()) ?? [];
    for (const track of tracks) track.enabled = true;
    return new MediaStream(tracks);
  }

  /** What its connections have counted, the one that is in use last; nothing before there is one. */
  async counted() {
    return this.way ? all([...this.#counted, this.way.pc.getStats()]) : [];
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.deadline);
    stop(this.microphone);
    stop(this.camera);
    this.next?.close();
    if (this.way) this.#counted.push(this.way.end());
    void all(this.#counted).then((counted) => this.owner.shown.heard(this.call, counted));
  }

  /** @param {Effect} effect */
  async #do(effect) {
    switch (effect.effect) {
      case "CreateOffer": return this.#offer(effect);
      case "CreateAnswer": return this.#answer(effect);
      case "ApplyAnswer": return this.#applyAnswer(effect.sdp);
      case "HearEarly": return this.#hearEarly(effect.sdp);
      case "RollBack": return this.#rollBack();
      case "AddCandidates": return (this.next ?? this.way)?.hear(effect.candidates);
      case "StartMedia":
        this.started = true;
        this.deadline ||= setTimeout(() => this.#giveUp(), CONNECT);
        return this.#openUp();
      default: throw new TypeError(`${effect.effect} is no work for media`);
    }
  }

  /** @param {Extract<Effect, {effect: "CreateOffer"}>} effect */
  async #offer({ media, hold }) {
    const fresh = !this.way || this.renewing;
    this.renewing = false;
    const [made] = await Promise.all([fresh ? this.#makeWay() : null, this.#openDevices(media, hold)]);
    this.next = made;
    const way = /** @type {Way} */ (this.next ?? this.way);
    await way.carry(this.#tracks(media), hold);
    this.owner.tell(this.call, { input: "OfferCreated", sdp: await way.describe("offer") });
    way.speak();
  }

  /** @param {Extract<Effect, {effect: "CreateAnswer"}>} effect */
  async #answer({ offer, media, hold }) {
    const same = this.way?.isOf(offer) ?? false;
    const [made] = await Promise.all([same ? null : this.#makeWay(), this.#openDevices(media, hold)]);
    this.next = made;
    const way = /** @type {Way} */ (same ? this.way : made);
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

  /** A provisional answer, and `early` once something is heard. A call is not lost because nothing can be. @param {string} sdp */
  async #hearEarly(sdp) {
    const way = this.next;
    await way?.take("pranswer", sdp).catch(() => {});
    void way?.hasSound().then((has) => has && this.owner.shown.early(this.call));
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
    const isFresh = this.way !== null || this.started;
    if (this.way) this.#counted.push(this.way.end());
    this.way = way;
    this.next = null;
    this.#openUp();
    const { localDescription: ours, remoteDescription: theirs } = way.pc;
    if (isFresh) this.owner.shown.renewed(this.call, ours?.sdp ?? "", theirs?.sdp ?? "");
    this.#changed(way.pc, way.pc.connectionState);
  }

  async #makeWay() {
    const [iceServers, certificate] = await Promise.all([this.owner.servers(), this.#ownCertificate()]);
    const iceTransportPolicy = this.owner.policy();
    if (iceTransportPolicy === "relay" && !iceServers.some(hasRelay)) throw new NoRelay();
    const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy, bundlePolicy: "max-bundle", certificates: [certificate] });
    return new Way(pc, {
      found: (candidates, end) => this.owner.tell(this.call, { input: "CandidatesFound", candidates, end }),
      heard: (stream) => this.owner.shown.remote(this.call, stream),
      sees: (sees) => this.owner.shown.sees(this.call, sees),
      state: (state) => this.#changed(pc, state),
    });
  }

  /** The call's own; it began in another page or tab if it runs before this one has made any. */
  #ownCertificate() {
    if (this.owner.isTelephone(this.call)) return makeCertificate();
    this.#certificate ??= (this.started ? keptCertificate(this.call) : Promise.resolve(null)).then((kept) => kept ?? makeCertificate());
    void this.#certificate.then((certificate) => keepCertificate(this.call, certificate));
    return this.#certificate;
  }

  /** @param {RTCPeerConnection} pc @param {RTCPeerConnectionState} state */
  #changed(pc, state) {
    if (this.#isClosed || pc !== this.way?.pc) return; // one that is heard before the answer carries no call yet
    this.wasConnected ||= state === "connected";
    this.owner.shown.state(this.call, state);
    if (state === "connected") this.owner.tell(this.call, { input: "MediaConnected" });
    if (state === "failed") this.#giveUp();
  }

  /** A browser that has nothing to try looks for a way for ever. */
  #giveUp() {
    if (!this.wasConnected) this.owner.tell(this.call, { input: "MediaFailed", why: "no way between the two devices was found" });
  }

  /** @param {readonly string[]} media @param {boolean} hold */
  async #openDevices(media, hold) {
    if (!this.microphone) {
      await this.#openMicrophone().catch((error) => {
        if (!this.unheard) throw error;
      });
    }
    await this.#openCamera(this.wantsCamera && media.includes("video") && !hold);
  }

  /** A call that runs goes on without one, if the one before gives nothing more: the person is told, and still hears. */
  async #openMicrophone() {
    try {
      this.microphone = await this.#heard(openMicrophone());
    } catch (error) {
      const isLost = !this.microphone?.getAudioTracks().some(({ readyState }) => readyState === "live");
      this.#isUnheard(this.started && isLost && isOfDevice(error), error);
      throw error;
    }
    this.#openUp();
    this.#isUnheard(false);
  }

  /** @param {boolean} unheard @param {unknown} [why] */
  #isUnheard(unheard, why) {
    if ((!unheard && !this.unheard) || this.#isClosed) return;
    this.unheard = unheard;
    this.owner.shown.microphone(this.call, unheard ? deviceFault(why) : null);
  }

  /** A call goes on without a camera. @param {boolean} on */
  async #openCamera(on) {
    if (on === Boolean(this.camera)) return;
    let fault = null;
    if (on) this.camera = await openCamera().catch((error) => void (fault = deviceFault(error))) ?? null;
    else {
      stop(this.camera);
      this.camera = null;
    }
    if (this.#isClosed) return stop(this.camera);
    this.owner.shown.local(this.call, this.camera);
    this.owner.shown.camera(this.call, this.camera !== null, fault);
  }

  /** A microphone that is pulled out gives way to another. @param {Promise<MediaStream>} opening */
  async #heard(opening) {
    const stream = await opening;
    if (this.#isClosed) stop(stream); // the call ended while the person was asked
    for (const track of stream.getAudioTracks()) track.onended = () => void this.changeDevices().catch(() => {});
    return stream;
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
    const why = isOfDevice(error) ? `microphone: ${deviceFault(error)}` : error instanceof NoRelay ? "no relay" : String(error);
    const described = effect.effect === "CreateOffer" || effect.effect === "CreateAnswer";
    this.owner.tell(this.call, { input: described ? "DescriptionFailed" : "MediaFailed", why });
  }
}

/** @param {unknown} error */
const isOfDevice = (error) => error instanceof DOMException && UNOPENED.includes(error.name);

/** What was counted, where anything was. @param {Promise<RTCStatsReport | null>[]} counted */
const all = async (counted) => (await Promise.all(counted)).filter((each) => each !== null);

const makeCertificate = () => RTCPeerConnection.generateCertificate(/** @type {EcKeyGenParams} */ ({ name: "ECDSA", namedCurve: "P-256" }));

/** The person shows no address of this device, and the service has none to lend. */
class NoRelay extends Error {}

/** @param {RTCIceServer} server */
const hasRelay = ({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url));

/** @param {MediaStream | null} stream */
export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
