// A browser's side of a call, for test_chromium.py: its offer, the answer, and what it hears.
"use strict";

const pc = new RTCPeerConnection({ iceServers: [] });
const audio = new AudioContext();
const ear = audio.createAnalyser();
ear.fftSize = 8192;

pc.ontrack = ({ track }) => {
  const stream = new MediaStream([track]);
  const element = Object.assign(new Audio(), { srcObject: stream, autoplay: true }); // else the graph hears nothing
  document.body.append(element);
  audio.createMediaStreamSource(stream).connect(ear);
};

// With this codec alone, or with all there are.
async function offer(codec) {
  const media = { audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } };
  const [track] = (await navigator.mediaDevices.getUserMedia(media)).getTracks();
  const transceiver = pc.addTransceiver(track, { direction: "sendrecv" });
  const known = RTCRtpSender.getCapabilities("audio").codecs;
  const kept = known.filter(({ mimeType }) => mimeType === codec || mimeType === "audio/telephone-event");
  if (codec) transceiver.setCodecPreferences(kept);
  await pc.setLocalDescription();
  while (pc.iceGatheringState !== "complete") {
    await new Promise((done) => pc.addEventListener("icegatheringstatechange", done, { once: true }));
  }
  return pc.localDescription.sdp;
}

const answered = (sdp) => pc.setRemoteDescription({ type: "answer", sdp });

const press = (digit) => pc.getSenders()[0].dtmf.insertDTMF(digit);

// The strongest frequency, once it is near the one that is waited for.
async function heard(wanted) {
  const bins = new Float32Array(ear.frequencyBinCount);
  for (;;) {
    ear.getFloatFrequencyData(bins);
    const found = (bins.indexOf(Math.max(...bins)) * audio.sampleRate) / ear.fftSize;
    if (Math.abs(found - wanted) < 50) return found;
    await new Promise((next) => setTimeout(next, 50));
  }
}
