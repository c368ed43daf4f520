"""G.711: both laws by table, and from one to the other without decoding."""

import numpy as np
from numpy.typing import NDArray

from wephone.media.audio import Samples

Table = NDArray[np.int16]


def _mu_law() -> Table:
    """What each byte of µ-law stands for, in 16 bits (ITU-T G.711 table 2)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law() -> Table:
    """What each byte of A-law stands for, in 16 bits (ITU-T G.711 table 1)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(segment > 0, (mantissa + 0x108) << np.maximum(segment - 1, 0), mantissa + 8)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _nearest(decoded: Table) -> NDArray[np.uint8]:
    """For each 16 bit sample, taken as unsigned, the byte whose sound is nearest."""
    order = np.argsort(decoded, kind="stable")
    levels = decoded[order].astype(np.int32)
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    right = np.clip(np.searchsorted(levels, samples), 1, 255)
    left = right - 1
    nearer = np.where(samples - levels[left] <= levels[right] - samples, left, right)
    return order[nearer].astype(np.uint8)


DECODED: dict[str, Table] = {"PCMU": _mu_law(), "PCMA": _a_law()}
ENCODED: dict[str, NDArray[np.uint8]] = {law: _nearest(table) for law, table in DECODED.items()}
SILENCE = {law: bytes(table[:1]) for law, table in ENCODED.items()}


def _converted(law: str, to: str) -> bytes:
    return bytes(ENCODED[to][DECODED[law].view(np.uint16)])


CONVERSION = {(law, to): _converted(law, to) for law in DECODED for to in DECODED if law != to}


def decode(law: str, payload: bytes) -> Samples:
    """Samples at 8 kHz."""
    return DECODED[law][np.frombuffer(payload, dtype=np.uint8)]


def encode(law: str, samples: Samples) -> bytes:
    """The payload of samples at 8 kHz."""
    return ENCODED[law][samples.view(np.uint16)].tobytes()


def convert(law: str, to: str, payload: bytes) -> bytes:
    """The same sound under the other law."""
    return payload.translate(CONVERSION[law, to])
