"""What a call costs our SIP user agent in steps, which no other work on the machine disturbs:

    python -m benchmarks.sip_count [--top 30]

The same call as `sip.py` has (nine messages, a grant, a lease), but without a network: the carrier is a few
strings in this process. Function calls, Python's own and those into C, are counted per SIP call; the bare
caller's beside them. Those of asyncio's loop are not: a server has uvloop in its place. `--instructions`
counts processor instructions under valgrind (Debian: valgrind), which takes a minute.
"""

import argparse
import asyncio
import json
import os
import re
import selectors
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from benchmarks.sip_callers import HOST, Bare, Call, Ours
from signaling.tuning import freeze

PORT = 5060  # of the carrier that is not there
WARM = 100  # calls before any is counted: caches are full as they are in a server
LOOP = (str(Path(asyncio.__file__).parent), selectors.__file__)
SIDES: dict[str, Callable[[int], Ours | Bare]] = {"ours": Ours, "bare": Bare}
ASKED = 'Proxy-Authenticate: Digest realm="carrier.example", nonce="a,b", qop="auth", algorithm=MD5'
CONTACT = f"Contact: <sip:sipp@{HOST}:{PORT}>"
TIMER = "Require: timer\r\nSession-Expires: 1800;refresher=uac"
SDP = "v=0\r\no=sipp 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


class Carrier(asyncio.DatagramTransport):
    """Answers whatever is sent, in the next turn of the loop."""

    def __init__(self, caller: asyncio.DatagramProtocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__({"sockname": (HOST, 40_000)})
        self._caller, self._loop, self._tags = caller, loop, 0

    def sendto(self, data: Any, addr: Any = None) -> None:
        text = bytes(data).decode()
        method = text.partition(" ")[0]
        if method == "INVITE" and "\r\nProxy-Authorization: " in text:
            self._answer(text, "183 Session Progress", CONTACT, body=SDP, tag=(tag := self._tag()))
            self._answer(text, "200 OK", CONTACT, TIMER, body=SDP, tag=tag)
        elif method == "INVITE":
            self._answer(text, "407 Who", ASKED, tag=self._tag())
        elif method == "BYE":
            self._answer(text, "200 OK")

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...

    def _tag(self) -> str:
        self._tags += 1
        return f";tag=far-{self._tags}"

    def _answer(self, request: str, status: str, *fields: str, body: str = "", tag: str = "") -> None:
        via, sender, to, call_id, cseq = [
            line
            for name in ("Via", "From", "To", "Call-ID", "CSeq")
            for line in request.split("\r\n")
            if line.startswith(f"{name}: ")
        ]
        content = ("Content-Type: application/sdp",) if body else ()
        length = f"Content-Length: {len(body)}"
        lines = (
            f"SIP/2.0 {status}",
            via,
            sender,
            to + tag,
            call_id,
            cseq,
            *fields,
            *content,
            length,
            "",
            body,
        )
        data = "\r\n".join(lines).encode()
        self._loop.call_soon(self._caller.datagram_received, data, (HOST, PORT))


class Loop(asyncio.SelectorEventLoop):
    """Every UDP socket of this loop leads to the carrier."""

    async def create_datagram_endpoint(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        caller = protocol_factory()
        carrier = Carrier(caller, self)
        caller.connection_made(carrier)
        return carrier, caller


class Counts:
    """Counts each function that is called, but not those of the carrier and the counting."""

    def __init__(self) -> None:
        self.python: Counter[str] = Counter()
        self.native: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if code.co_filename == __file__ or code.co_filename.startswith(LOOP):
            return
        if event == "call":
            self.python[f"{Path(code.co_filename).name}:{code.co_qualname}"] += 1
        elif event == "c_call":
            self.native[f"{Path(code.co_filename).name}:{code.co_qualname} > {argument.__qualname__}"] += 1


async def make(side: Ours | Bare, calls: int) -> Call:
    """So many calls, one after another."""
    call = await side.open()
    for _ in range(calls):
        await call()
    return call


def run(kind: str, calls: int, counts: Counts | None = None) -> None:
    """Warm up, then make the calls that count."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        call = runner.run(make(SIDES[kind](PORT), WARM))
        freeze()

        async def counted() -> None:
            sys.setprofile(counts)
            for _ in range(calls):
                await call()
            sys.setprofile(None)

        runner.run(counted())


def instructions(kind: str, calls: int) -> float:
    """Instructions of one call: the difference that so many more calls make."""
    if which("valgrind") is None:
        raise SystemExit("valgrind is not installed")
    few, many = (_instructions(kind, number) for number in (1, calls + 1))
    return (many - few) / calls


def _instructions(kind: str, calls: int) -> int:
    with TemporaryDirectory() as folder:
        kept = Path(folder, "counted")
        valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={kept}"]
        command = [
            *valgrind,
            sys.executable,
            "-m",
            "benchmarks.sip_count",
            "--only",
            kind,
            "--calls",
            str(calls),
        ]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True)
        found = re.search(r"^summary: *(\d+)", kept.read_text(), re.MULTILINE)
        assert found
        return int(found[1])


def report(kind: str, calls: int, top: int) -> None:
    """One line of JSON, and the functions that are called most."""
    counts = Counts()
    run(kind, calls, counts)
    python, native = (sum(each.values()) / calls for each in (counts.python, counts.native))
    print(json.dumps({"caller": kind, "python": round(python, 1), "native": round(native, 1)}), flush=True)
    for each in (counts.python, counts.native):
        for name, number in each.most_common(top):
            print(f"{number / calls:8.1f}  {name}")


def main() -> None:
    """Parse the sizes and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--top", type=int, default=0, help="functions to name")
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--only", choices=SIDES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        run(args.only, args.calls)
        return
    for kind in SIDES:
        report(kind, args.calls, args.top)
        if args.instructions:
            print(json.dumps({"caller": kind, "instructions": round(instructions(kind, args.calls))}))


if __name__ == "__main__":
    main()
