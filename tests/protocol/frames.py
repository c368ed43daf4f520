"""Frames that no honest client sends: made from good ones by mutation, from nothing by grammar."""

import json
import random
from typing import Any

CALL = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
SDP = "\r\n".join(
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        FINGERPRINT,
        "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host",
        "a=rtpmap:111 opus/48000/2",
        "",
    ]
)
HASH = "0" * 64
GOOD: tuple[dict[str, Any], ...] = (
    {"type": "hello", "ticket": "t" * 16, "device": CALL, "calls": [CALL]},
    {"type": "hello", "ticket": "t" * 16, "device": CALL, "resume": {"session": "s" * 8, "n": 3}},
    {"type": "ack", "n": 1},
    {"type": "invite", "call": CALL, "to": "bob", "sdp": SDP, "commitment": HASH},
    {"type": "delivered", "call": CALL},
    {"type": "alerting", "call": CALL},
    {"type": "answer", "call": CALL, "sdp": SDP, "nonce": HASH},
    {"type": "reject", "call": CALL, "reason": "busy"},
    {"type": "candidates", "call": CALL, "candidates": [{"candidate": "candidate:1", "sdp_mid": "0"}]},
    {"type": "reveal", "call": CALL, "nonce": HASH},
    {"type": "negotiate", "call": CALL, "kind": "offer", "round": 1, "sdp": SDP, "hold": True},
    {"type": "hangup", "call": CALL, "reason": "hangup"},
    {"type": "heard", "call": CALL, "packets": 500, "lost": 2, "jitter_us": 900, "rtt_us": 4000},
    {"type": "heard", "call": CALL, "packets": 500, "lost": 2, "jitter_us": 900, "so_far": True},
    {"type": "missed_seen", "calls": [CALL]},
    {"type": "text", "message": CALL, "to": "bob", "text": "good morning 早上好"},
    {"type": "received", "seq": 7},
    {"type": "read", "peer": "bob", "seq": 7},
)
# Written into a frame as they are: JSON that Python's own writer would not make.
ODD = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1e400",
    "-0",
    "0.1",
    "1e5",
    "9" * 5000,
    "-" + "9" * 5000,
    "9223372036854775808",
    "null",
    "true",
    '""',
    "[]",
    "{}",
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u0000"',
    '"\\u202e"',
    '"\\u200b"',
    '"\\u001b[31m"',
    '"\\x00"',
    '"' + "a" * 40_000 + '"',
    "[" * 200 + "]" * 200,
    '{"a":' * 200 + "1" + "}" * 200,
    "[" * 20_000,
    '{"candidate":"x"}',
    "[" + ",".join(['{"candidate":""}'] * 50_000) + "]",
    '"' + "a=candidate:1\\r\\n" * 2000 + '"',
)


def generated(dice: random.Random) -> bytes | str:
    """One frame, bad more often than not."""
    return dice.choice(
        (with_odd_value, with_odd_field, with_too_many, with_cut, with_noise, with_two, with_bad_sdp, noise)
    )(dice)


def good(dice: random.Random) -> dict[str, Any]:
    """A frame that is right, as an object of its own."""
    frame: dict[str, Any] = json.loads(json.dumps(dice.choice(GOOD)))
    return frame


def with_odd_value(dice: random.Random) -> str:
    """A value that has no place there."""
    frame = good(dice)
    field = dice.choice(list(frame))
    frame[field] = "@odd@"
    return json.dumps(frame).replace('"@odd@"', dice.choice(ODD))


def with_odd_field(dice: random.Random) -> str:
    """A field nobody knows, or one that is missing."""
    frame = good(dice)
    if dice.random() < 0.5:
        del frame[dice.choice(list(frame))]
    else:
        frame[dice.choice(("x", "Type", "call ", "__proto__", "\x1b[2J", "n" * 300, "é" * 99))] = "@odd@"
    return json.dumps(frame).replace('"@odd@"', dice.choice(ODD))


def with_too_many(dice: random.Random) -> str:
    """More of something than allowed, in a frame of an allowed size."""
    count = dice.choice((65, 300, 1000))
    frame = dice.choice(
        (
            {"type": "candidates", "call": CALL, "candidates": [{"candidate": ""}] * count},
            {"type": "missed_seen", "calls": [CALL] * count},
            {"type": "hello", "ticket": "t" * 16, "device": CALL, "features": ["x"] * count},
        )
    )
    return json.dumps(frame)


def with_cut(dice: random.Random) -> str:
    """The beginning, or the end, of a good frame."""
    text = json.dumps(good(dice))
    cut = dice.randrange(len(text))
    return text[:cut] if dice.random() < 0.5 else text[cut:]


def with_noise(dice: random.Random) -> bytes:
    """A few bytes changed: often no UTF-8 any more."""
    frame = bytearray(json.dumps(good(dice)).encode())
    for _ in range(dice.randint(1, 4)):
        frame[dice.randrange(len(frame))] = dice.randrange(256)
    return bytes(frame)


def with_two(dice: random.Random) -> str:
    """Two frames in one, or a field twice, or an array of them."""
    first, second = json.dumps(good(dice)), json.dumps(good(dice))
    return dice.choice((first + second, first[:-1] + "," + second[1:], f"[{first},{second}]"))


def with_bad_sdp(dice: random.Random) -> str:
    """A description that was tampered with."""
    frame = dice.choice([frame for frame in GOOD if "sdp" in frame])
    return json.dumps(frame | {"sdp": mutated_sdp(dice)})


def mutated_sdp(dice: random.Random) -> str:
    """Lines lost, doubled, swapped, broken, or added by an enemy."""
    lines = SDP.split("\r\n")
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(lines))
        match dice.randrange(6):
            case 0:
                lines.pop(at) if len(lines) > 1 else None
            case 1:
                lines[at:at] = [lines[at]] * dice.choice((1, 9, 1100))
            case 2:
                lines.insert(
                    at, dice.choice(("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "a=fingerprint:md5 00"))
                )
            case 3:
                lines[at] += dice.choice(("\0", "\x1b", "\u2028", "x" * 3000, "\r", "\ud800"))
            case 4:
                lines[at] = lines[at][: dice.randrange(len(lines[at]) + 1)]
            case _:
                dice.shuffle(lines)
    return dice.choice(("\r\n", "\n", "\r")).join(lines)


def noise(dice: random.Random) -> bytes:
    """Anything at all, seldom more than a frame may hold."""
    size = dice.choice((0, 1, 5, 60, 700, 70_000 if dice.random() < 0.05 else 70))
    return dice.randbytes(size)
