"""The safety code: eight digits that two people read to each other, to know that nobody sits between.

The caller's invite carries a commitment to its nonce, the answer carries the callee's nonce, and only then
the caller reveals its own. Whoever replaces a fingerprint on the way must have chosen before it knew both
nonces, so it has one try in 10^8 (RFC 6189 §4.4.1.1 and §4.5 give the reasoning for ZRTP).
"""

import hashlib
import re

FINGERPRINT = re.compile(r"^a=fingerprint:([\w-]+) ([0-9A-Fa-f:]+)\s*$", re.MULTILINE)  # RFC 8122 §5
LABEL = b"wephone safety code 1"
DIGITS = 8


def commitment(nonce: str) -> str:
    """SHA-256, in hex, of the 32 bytes that the nonce spells."""
    return hashlib.sha256(bytes.fromhex(nonce)).hexdigest()


def fingerprints(sdp: str) -> tuple[str, ...]:
    """The DTLS fingerprints of a description, each once, sorted, as "sha-256 AB:CD:..."."""
    found = {f"{name.lower()} {value.upper()}" for name, value in FINGERPRINT.findall(sdp)}
    return tuple(sorted(found))


def safety_code(caller_sdp: str, callee_sdp: str, caller_nonce: str, callee_nonce: str) -> str:
    """Eight digits in two groups. SHA-256 of the label, then each part with its length before it.

    Parts, in order: the caller's fingerprints, one a line; the callee's; the caller's nonce (32 bytes);
    the callee's. Lengths are 4 bytes, big-endian. The first 8 bytes of the hash as a number, modulo 10^8.
    """
    digest = hashlib.sha256(LABEL)
    for part in (
        "\n".join(fingerprints(caller_sdp)).encode(),
        "\n".join(fingerprints(callee_sdp)).encode(),
        bytes.fromhex(caller_nonce),
        bytes.fromhex(callee_nonce),
    ):
        digest.update(len(part).to_bytes(4, "big") + part)
    number = int.from_bytes(digest.digest()[:8], "big") % 10**DIGITS
    digits = f"{number:0{DIGITS}d}"
    return f"{digits[:4]} {digits[4:]}"
