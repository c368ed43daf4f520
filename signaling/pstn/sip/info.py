"""Keys of a telephone that a carrier tells by INFO, where it sends no events in the sound.

No standard has it (RFC 6086 §2 calls it the legacy use): `application/dtmf-relay` is what gateways say, and
`application/dtmf` the key alone.
"""

from dataclasses import dataclass

from signaling.pstn.sip.headers import parse_number
from signaling.pstn.sip.message import Request
from signaling.pstn.sip.problem import SipError, bad

RELAY, PLAIN = "application/dtmf-relay", "application/dtmf"
TAKEN = (("Accept", f"{RELAY}, {PLAIN}"),)
DIGITS = "0123456789*#ABCD"
USUAL, LONGEST = 160, 10_000  # ms that a key is held
_NAMED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}  # by event codes of RFC 4733


@dataclass(frozen=True, slots=True)
class Key:
    """One key, and for how many milliseconds it was held."""

    digit: str
    lasted: int = USUAL


def key(request: Request) -> Key | None:
    """The key that an INFO tells of; none for one without a body, which only asks whether we are there.

    SipError: 469 for a package, for we take none; 415 for another body, 400 for one that cannot be read.
    """
    if request.get("Info-Package") is not None:
        raise SipError(469, "a package of INFO")
    if not request.body:
        return None
    kind = (request.get("Content-Type") or "").partition(";")[0].strip().lower()
    text = request.body.decode(errors="replace")
    if kind == PLAIN:
        return Key(_digit(text))
    if kind != RELAY:
        raise SipError(415, f"a body of INFO that is no key: {kind[:32]!a}")
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name.strip().lower(), value.strip())
    lasted = parse_number(found["duration"], LONGEST) if found.get("duration") else USUAL
    return Key(_digit(found.get("signal", "")), lasted)


def _digit(text: str) -> str:
    digit = text.strip().upper()
    digit = _NAMED.get(digit, digit)
    if len(digit) != 1 or digit not in DIGITS:
        raise bad("not a key", text)
    return digit
