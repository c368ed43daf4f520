"""libopus itself, through ctypes: FFmpeg's wrapper conceals nothing and reads no in-band FEC.

The library is the one inside PyAV's wheel, so nothing is installed for it. RFC 6716 is the codec,
RFC 7587 its RTP payload.
"""

import ctypes
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from wephone.media.audio import FRAME, RATE, Samples
from wephone.media.errors import CodecError

# opus_defines.h
APPLICATION_VOIP = 2048
SET_BITRATE = 4002
SET_COMPLEXITY = 4010
SET_INBAND_FEC = 4012
SET_PACKET_LOSS_PERC = 4014
SET_SIGNAL = 4024
SIGNAL_VOICE = 3001

LONGEST = 6 * FRAME  # samples: 120 ms, the longest packet (RFC 6716 §3.2.5)
LARGEST = 1275  # bytes of one frame (RFC 6716 §3.2.1)
BITRATE = 32_000  # bit/s: wide band with its FEC copy; 24 000 is the least that still sounds whole
EXPECTED_LOSS = 10  # percent: makes the encoder spend bits on FEC copies before the first loss
COMPLEXITY = 5  # of 10: half the processor time of 10; nobody hears the difference at this bitrate


def libraries() -> list[str]:
    """Where libopus may be, best first: PyAV's wheel (Linux, macOS, Windows), then the system."""
    spec = importlib.util.find_spec("av")
    if spec is None or spec.origin is None:
        return ["libopus.so.0"]
    package = Path(spec.origin).parent
    found = [
        *sorted((package.parent / "av.libs").glob("*opus*")),
        *sorted((package / ".dylibs").glob("libopus*")),
    ]
    return [*map(str, found), "libopus.so.0"]


@cache
def library() -> ctypes.CDLL:
    """The loaded libopus, its signatures set. CodecError if there is none."""
    failures = []
    for path in libraries():
        try:
            return described(ctypes.CDLL(path))
        except (OSError, AttributeError) as error:  # none, or one older than 1.5
            failures.append(f"`{path}`: {error}")
    raise CodecError(f"no libopus: neither in PyAV's wheel nor on the system ({'; '.join(failures)})")


def described(opus: ctypes.CDLL) -> ctypes.CDLL:
    """Signatures from opus.h. The ctl functions are variadic: only their fixed arguments are named."""
    state, size, pcm = ctypes.c_void_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int16)
    error = ctypes.POINTER(ctypes.c_int)
    for name, result, arguments in (
        ("opus_get_version_string", ctypes.c_char_p, ()),
        ("opus_strerror", ctypes.c_char_p, (ctypes.c_int,)),
        ("opus_packet_has_lbrr", ctypes.c_int, (ctypes.c_char_p, size)),
        ("opus_decoder_create", state, (size, ctypes.c_int, error)),
        ("opus_decoder_destroy", None, (state,)),
        ("opus_decode", ctypes.c_int, (state, ctypes.c_char_p, size, pcm, ctypes.c_int, ctypes.c_int)),
        ("opus_encoder_create", state, (size, ctypes.c_int, ctypes.c_int, error)),
        ("opus_encoder_destroy", None, (state,)),
        ("opus_encoder_ctl", ctypes.c_int, (state, ctypes.c_int)),
        ("opus_encode", size, (state, pcm, ctypes.c_int, ctypes.c_char_p, size)),
    ):
        function = getattr(opus, name)
        function.restype = result
        function.argtypes = arguments
    return opus


def pointer(sound: Samples) -> "ctypes._Pointer[ctypes.c_int16]":
    """Where these samples are, for as long as the array lives: made once, since that takes a while."""
    return sound.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))


def version() -> str:
    """As libopus names itself, for example "libopus 1.6.1"."""
    return str(library().opus_get_version_string().decode())


def checked(result: int) -> int:
    """The result of a libopus call. CodecError if it is one of its negative codes."""
    if result < 0:
        raise CodecError(f"libopus: {library().opus_strerror(result).decode()}")
    return result


def packet_samples(payload: bytes) -> int:
    """How long a packet lasts at 48 kHz, from its first bytes (RFC 6716 §3.1); 0 if it is no packet."""
    if not payload:
        return 0
    configuration, code = payload[0] >> 3, payload[0] & 3
    if configuration < 12:  # SILK: 10, 20, 40, 60 ms
        frame = (480, 960, 1920, 2880)[configuration & 3]
    elif configuration < 16:  # hybrid: 10, 20 ms
        frame = (480, 960)[configuration & 1]
    else:  # CELT: 2.5, 5, 10, 20 ms
        frame = (120, 240, 480, 960)[configuration & 3]
    if code == 3 and len(payload) < 2:
        return 0
    count = (1, 2, 2, payload[1] & 0x3F if code == 3 else 0)[code]
    return frame * count if frame * count <= LONGEST else 0


def has_copy(payload: bytes) -> bool:
    """Does this packet hold a copy of the one before it (in-band FEC, RFC 6716 §2.1.7)?"""
    return bool(payload) and library().opus_packet_has_lbrr(payload, len(payload)) == 1


class Decoder:
    """One mono stream, decoded at 48 kHz or at a rate that Opus knows (8, 12, 16, 24 kHz).

    Every method gives mono int16 samples at that rate, shape (n,).
    """

    def __init__(self, rate: int = RATE) -> None:
        self._opus = library()
        error = ctypes.c_int()
        self._state = self._opus.opus_decoder_create(rate, 1, ctypes.byref(error))
        checked(error.value)
        self._sound = np.zeros(LONGEST, dtype=np.int16)
        self._pcm = pointer(self._sound)

    def decode(self, payload: bytes) -> Samples:
        """The sound of a packet. CodecError if it is not Opus; the decoder can go on."""
        return self._run(payload, LONGEST, copy=False)

    def recover(self, following: bytes, samples: int) -> Samples:
        """The lost packet's sound, from the copy in the packet that follows it."""
        return self._run(following, samples, copy=True)

    def conceal(self, samples: int) -> Samples:
        """What the stream might have sounded like; a multiple of 2.5 ms, up to 120 ms."""
        return self._run(None, samples, copy=False)

    def _run(self, payload: bytes | None, samples: int, copy: bool) -> Samples:
        size = len(payload) if payload is not None else 0
        count = checked(self._opus.opus_decode(self._state, payload, size, self._pcm, samples, copy))
        return self._sound[:count].copy()

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._opus.opus_decoder_destroy(self._state)
            self._state = None


class Encoder:
    """One mono stream of speech: 20 ms in, one packet out, each with a copy of the packet before it.

    `rate` is that of the samples: 48 kHz, or one that Opus knows.

    Mono, as the caller's voice is; "opus/48000/2" in SDP says only what a decoder must accept
    (RFC 7587 §7.1).
    """

    def __init__(
        self,
        bitrate: int = BITRATE,
        expected_loss: int = EXPECTED_LOSS,
        complexity: int = COMPLEXITY,
        rate: int = RATE,
    ) -> None:
        self._opus = library()
        self._frame = rate // 50  # samples of 20 ms
        error = ctypes.c_int()
        self._state = self._opus.opus_encoder_create(rate, 1, APPLICATION_VOIP, ctypes.byref(error))
        checked(error.value)
        self._sound = np.zeros(self._frame, dtype=np.int16)
        self._pcm = pointer(self._sound)
        self._packet = ctypes.create_string_buffer(LARGEST)
        for request, value in (
            (SET_BITRATE, bitrate),
            (SET_SIGNAL, SIGNAL_VOICE),
            (SET_INBAND_FEC, 1),
            (SET_PACKET_LOSS_PERC, expected_loss),
            (SET_COMPLEXITY, complexity),
        ):
            checked(self._opus.opus_encoder_ctl(self._state, request, ctypes.c_int(value)))

    def encode(self, frame: Samples) -> bytes:
        """The packet of 20 ms: 960 samples at 48 kHz."""
        if frame.shape != (self._frame,):
            raise CodecError(f"a frame has {self._frame} samples, not {frame.shape}")
        self._sound[:] = frame
        size = checked(self._opus.opus_encode(self._state, self._pcm, self._frame, self._packet, LARGEST))
        return ctypes.string_at(self._packet, size)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._opus.opus_encoder_destroy(self._state)
            self._state = None
