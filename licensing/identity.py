"""Ids of decisions and permit events: UUIDv7 (RFC 9562 §5.7), shown as `D-` and Crockford base32."""

from typing import NewType
from uuid import UUID

from licensing.instant import MILLISECOND, Instant

DecisionId = NewType("DecisionId", str)

RANDOM = 10  # bytes of randomness that `uuid7` takes
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_LENGTH = 26  # 128 bits, five to a character
_READ = {character: value for value, character in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}


def uuid7(now: Instant, random: bytes) -> UUID:
    """The UUIDv7 of a moment. Its order is its time; `random` is RANDOM bytes."""
    bits = int.from_bytes(random[:RANDOM], "big")
    milliseconds = now.utc_ns // MILLISECOND & (1 << 48) - 1
    return UUID(
        int=milliseconds << 80 | 0x7 << 76 | (bits >> 64 & 0xFFF) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    )


def decision_id(now: Instant, random: bytes) -> DecisionId:
    """A new decision's id, as people see it."""
    return show(uuid7(now, random))


def show(uuid: UUID) -> DecisionId:
    number = uuid.int
    letters = [_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH))]
    return DecisionId("D-" + "".join(letters))


def read(text: str) -> UUID:
    """The UUID of an id as a person typed it: any case, O for 0, I and L for 1. ValueError if none."""
    letters = text.strip().upper().removeprefix("D-").replace("-", "")
    if len(letters) != _LENGTH or not all(letter in _READ for letter in letters) or _READ[letters[0]] > 7:
        raise ValueError(f"`{text}` is no decision id")
    number = 0
    for letter in letters:
        number = number << 5 | _READ[letter]
    return UUID(int=number)
