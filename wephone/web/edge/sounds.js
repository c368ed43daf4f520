/** What this device sounds: the other side's voice, the bell, a test tone; and how loud a microphone is. */

import { chosen } from "./media.js";

/** @type {AudioContext | null} */
let shared = null;

function context() {
  shared ??= new AudioContext();
  if (shared.state === "suspended") void shared.resume();
  if (chosen.speaker) void /** @type {any} */ (shared).setSinkId?.(chosen.speaker).catch(() => {});
  return shared;
}

/** @type {Map<string, HTMLAudioElement>} */
const voices = new Map();

/** Let a call's sound be heard, on the loudspeaker that was chosen. @param {string} call @param {MediaStream} stream */
export function play(call, stream) {
  const voice = voices.get(call) ?? new Audio();
  voices.set(call, voice);
  if (voice.srcObject === stream) return;
  voice.autoplay = true;
  voice.srcObject = stream;
  if (chosen.speaker) void voice.setSinkId?.(chosen.speaker).catch(() => {});
  void voice.play().catch(() => {}); // without a gesture some browsers wait for one; the page is clicked to answer
}

/** Calls that are over are heard no more; the others without a break. @param {readonly string[]} calls */
export function hushBut(calls) {
  for (const [call, voice] of voices) {
    if (calls.includes(call)) continue;
    voice.srcObject = null;
    voices.delete(call);
  }
}

/** Another loudspeaker. */
export function moveSound() {
  for (const voice of voices.values()) void voice.setSinkId?.(chosen.speaker ?? "").catch(() => {});
  void /** @type {any} */ (shared)?.setSinkId?.(chosen.speaker ?? "").catch(() => {});
}

/**
 * A tone, now, rising and falling softly.
 *
 * @param {number} frequency Hz @param {number} at seconds from now @param {number} lasts seconds @param {number} gain
 */
function tone(frequency, at, lasts, gain) {
  const audio = context();
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  const start = audio.currentTime + at;
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(gain, start + 0.02);
  volume.gain.setValueAtTime(gain, start + lasts - 0.05);
  volume.gain.linearRampToValueAtTime(0, start + lasts);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(start);
  oscillator.stop(start + lasts);
}

export function testTone() {
  tone(523.25, 0, 0.6, 0.2);
  tone(659.25, 0.3, 0.6, 0.2);
}

/** Sound over and over until told to stop. @param {() => void} once @param {number} every ms @returns {() => void} */
function repeat(once, every) {
  once();
  const timer = setInterval(once, every);
  return () => clearInterval(timer);
}

/** The bell of a call that comes in. */
export const bell = () => repeat(() => {
  for (const [at, note] of [[0, 659.25], [0.25, 783.99], [0.5, 987.77]]) tone(note, at, 0.4, 0.15);
}, 2500);

/** Another call, for somebody who talks: two short tones that leave room for words. */
export const knock = () => repeat(() => {
  for (const at of [0, 0.3]) tone(425, at, 0.2, 0.05);
}, 5000);

// Hz, of rows and columns of a keypad (ITU-T Q.23)
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];

/** What is heard of a key by whoever presses it. @param {string} key */
export function keyTone(key) {
  const at = "123456789*0#".indexOf(key);
  for (const frequency of [ROWS[Math.floor(at / 3)], COLUMNS[at % 3]]) tone(frequency, 0, 0.12, 0.05);
}

/** What a caller hears while the other side rings (425 Hz: ITU-T E.180). */
export const ringback = () => repeat(() => tone(425, 0, 1, 0.06), 4000);

/**
 * How loud it is, ten times a second, 0 to 1.
 *
 * @param {MediaStream} stream @param {(level: number) => void} told @returns {() => void}
 */
export function levelOf(stream, told) {
  const audio = context();
  const source = audio.createMediaStreamSource(stream);
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const energy = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    told(Math.min(1, Math.sqrt(energy) * 4));
  }, 100);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
