"""Calls per CPU-second of our SIP user agent, beside a bare caller in the same run:  python -m benchmarks.sip

The far end is SIPp, over UDP on loopback. A call is INVITE, 407, ACK, INVITE with a digest, 183 with
early media, 200 with a session timer, ACK, BYE, 200: nine messages. Ours redeems a grant for each, holds its
lease and looks at it before each message with media. The bare caller (`sip_callers.py`) fills the same into
strings and checks nothing. CPU is that of the calling process alone; rounds alternate, and the ratio of each
round's pair is what counts. Needs `sipp` (Debian: sip-tester).
"""

import argparse
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which

from benchmarks.processes import started

OURS, BARE = "ours", "bare"
TARGET, STRETCH = 2500, 4000  # calls per CPU-second

HEAD = "[last_Via:]\n[last_From:]\n{to}\n[last_Call-ID:]\n[last_CSeq:]\n"
NEW, KNOWN = "[last_To:];tag=far-[call_number]", "[last_To:]"
CONTACT = "Contact: <sip:sipp@[local_ip]:[local_port]>\n"
MEDIA = (
    "Content-Type: application/sdp\nContent-Length: [len]\n\n"
    "v=0\no=sipp 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 6000 RTP/AVP 0\n"
    "a=rtpmap:0 PCMU/8000\n"
)
EMPTY = "Content-Length: 0\n\n"
ASKED = 'Digest realm="carrier.example", nonce="a,b", qop="auth", algorithm=MD5'


def hear(method: str, *, optional: bool = False) -> str:
    """A request must come, or may."""
    return f'<recv request="{method}" optional="{str(optional).lower()}"/>'


# On a machine that is busy elsewhere some come late, and again: SIPp would give up such a call.
AGAIN = 4 * (hear("INVITE", optional=True), hear("ACK", optional=True))


def say(status: str, to: str, rest: str) -> str:
    """A response to it."""
    return f"<send><![CDATA[\nSIP/2.0 {status}\n{HEAD.format(to=to)}{rest}\n]]></send>"


STEPS = (
    hear("INVITE"),
    say("407 Who", NEW, f"Proxy-Authenticate: {ASKED}\n{EMPTY}"),
    hear("ACK"),
    hear("INVITE"),
    say("183 Session Progress", NEW, CONTACT + MEDIA),
    say("200 OK", NEW, f"{CONTACT}Require: timer\nSession-Expires: 1800;refresher=uac\n{MEDIA}"),
    *AGAIN,
    hear("BYE"),
    say("200 OK", KNOWN, EMPTY),
    '<timewait milliseconds="2000"/>',
)
SCENE = '<?xml version="1.0"?>\n<scenario name="carrier">\n' + "\n".join(STEPS) + "\n</scenario>\n"


@contextlib.contextmanager
def carrier(folder: Path) -> Iterator[int]:
    """SIPp on a free port, until the block ends."""
    program = which("sipp")
    if program is None:
        raise SystemExit("sipp is not installed (Debian: sip-tester)")
    scene = folder / "scene.xml"
    scene.write_text(SCENE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [program, "-sf", str(scene), "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not is_taken(port):
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def is_taken(port: int) -> bool:
    """Does somebody listen there?"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def caller(kind: str, port: int) -> "contextlib.AbstractContextManager[subprocess.Popen[bytes]]":
    """One of the two, waiting to be told how many calls to make."""
    return started([sys.executable, "-m", "benchmarks.sip_callers", kind, str(port)], stdin=True)


def round_of(process: "subprocess.Popen[bytes]", calls: int) -> float:
    """CPU microseconds per call."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{calls}\n".encode())
    process.stdin.flush()
    made = json.loads(process.stdout.readline())
    return 1e6 * float(made["cpu_seconds"]) / int(made["calls"])


def measure(calls: int, rounds: int) -> None:
    """Alternate, and print each round, then the medians."""
    kept: list[dict[str, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        carrier(Path(folder)) as port,
        caller(OURS, port) as ours,
        caller(BARE, port) as bare,
    ):
        sides = [(OURS, ours), (BARE, bare)]
        for number in range(rounds + 1):  # the first warms up
            cost = {name: round_of(process, calls) for name, process in sides}
            sides.reverse()
            if number:
                kept.append(cost)
                report({"round": number, "cpu_us_per_call": {k: round(v) for k, v in cost.items()}})
    for name in (OURS, BARE):
        rate = 1e6 / statistics.median(cost[name] for cost in kept)
        report({"calls_per_cpu_second": name, "median": round(rate)})
    ratios = [cost[OURS] / cost[BARE] for cost in kept]
    report({"ratio_to": "a bare caller", "median": round(statistics.median(ratios), 2)})
    report({"target": TARGET, "stretch": STRETCH})


def report(facts: dict[str, object]) -> None:
    """One line of JSON."""
    print(json.dumps(facts), flush=True)


def main() -> None:
    """Parse the sizes and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    measure(args.calls, args.rounds)


if __name__ == "__main__":
    main()
