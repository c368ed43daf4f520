/**
 * One peer connection: its descriptions, its candidates, what it sends.
 *
 * @typedef {import("../protocol.js").Candidate} Candidate
 */

const KEY = 120; // ms that a key sounds
const GAP = 70; // ms between two
const LOOK = 100; // ms between two looks for the first sound
const BATCH = 30; // ms in which candidates that follow the first gather for one frame
const LINES = [/^a=ice-ufrag:(\S+)/m, /^a=fingerprint:\S+ (\S+)/m]; // that tell one connection from another

export class Way {
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
   *   sees: (sees: boolean) => void, state: (state: RTCPeerConnectionState) => void}} told
   */
  constructor(pc, told) {
    this.pc = pc;
    this.told = told;
    this.remote = new MediaStream();
    pc.onicecandidate = ({ candidate }) => this.#foundOne(candidate);
    pc.ontrack = ({ track }) => {
      this.remote.addTrack(track);
      if (track.kind === "video") {
        track.onmute = track.onunmute = () => told.sees(!track.muted);
        told.sees(!track.muted);
      }
      told.heard(this.remote);
    };
    pc.onconnectionstatechange = () => told.state(pc.connectionState);
  }

  /** Is this offer of the connection that this one is with? A fresh one has other credentials (RFC 8839 §5.4) or another certificate. @param {string} sdp */
  isOf(sdp) {
    const known = this.pc.remoteDescription;
    return known !== null && LINES.every((line) => line.exec(known.sdp)?.[1] === line.exec(sdp)?.[1]);
  }

  /**
   * What to send, and whether anything passes at all: of video that is undefined nothing does, without a track theirs.
   *
   * @param {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null | undefined}} tracks
   * @param {boolean} hold
   */
  async carry({ audio, video }, hold) {
    const way = hold ? "inactive" : "sendrecv";
    await this.#transceiver("audio", audio, way);
    const has = this.pc.getTransceivers().some((each) => each.receiver.track.kind === "video");
    if (video === undefined && !has) return;
    const seen = hold || video === undefined ? "inactive" : video ? "sendrecv" : "recvonly";
    await this.#transceiver("video", video ?? null, seen);
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

  /** Keys, with the sound (RFC 4733); false if the other side takes none. @param {string} digits */
  press(digits) {
    const dtmf = this.pc.getSenders().find(({ dtmf }) => dtmf?.canInsertDTMF)?.dtmf;
    dtmf?.insertDTMF(dtmf.toneBuffer + digits, KEY, GAP);
    return Boolean(dtmf);
  }

  /** @param {"offer" | "answer"} type */
  async describe(type) {
    await this.pc.setLocalDescription(type === "offer" ? await this.pc.createOffer() : await this.pc.createAnswer());
    return /** @type {RTCSessionDescription} */ (this.pc.localDescription).sdp;
  }

  /** @param {"offer" | "answer" | "pranswer"} type @param {string} sdp */
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

  /** Once the first sound has come; false if it is closed before. */
  async hasSound() {
    for (; this.pc.signalingState !== "closed"; await new Promise((go) => setTimeout(go, LOOK))) {
      const known = [...(await this.pc.getStats()).values()];
      if (known.some(({ type, packetsReceived }) => type === "inbound-rtp" && packetsReceived > 0)) return true;
    }
    return false;
  }

  /** Our description has been said: so may our candidates be. */
  speak() {
    this.#said = true;
    this.#tell();
  }

  /** Closed, once it has said what came by it; null if it cannot. */
  async end() {
    const counted = await this.pc.getStats().catch(() => null);
    this.close();
    return counted;
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
