"""`wephone carrier`: a small carrier to try telephone calls with; it reaches no telephone."""

import argparse
import asyncio
import ipaddress
import json
import logging
import signal
import sys
from typing import TYPE_CHECKING

from wephone.cli import garbage
from wephone.cli.output import Failure

if TYPE_CHECKING:
    from signaling.pstn.carrier import Carrier

NUMBERS = """\
The last two digits of a number say what its telephone does:
  01 is busy, 02 rings and nobody comes, 03 sends sound before it answers,
  04 does not exist, 05 declines, 06 meets a full network, 07 is a menu; all
  others answer after a second. Whoever answers says back what it hears; a menu
  says back the keys that were pressed, as tones, once it hears #, and prints
  one line: `heard` and a JSON object.
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "carrier",
        help="run a small carrier to try telephone calls with",
        description="Runs a carrier for development, tests and demos over UDP and TCP. No call leaves this\n"
        "program. When it is ready it prints one line: `ready` and a JSON object.",
        epilog=NUMBERS + "Exit code 0 when stopped, 1 if it cannot start; the reason is on stderr.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the IP address to listen on (127.0.0.1)")
    parser.add_argument(
        "--port", type=int, default=5060, help="for UDP and TCP; 0 takes one that is free (5060)"
    )
    parser.add_argument(
        "--peer",
        metavar="NETWORK",
        action="append",
        help="who may call: addresses or networks (this machine)",
    )
    parser.add_argument("--user", metavar="NAME", help="challenge callers; this one's password is on stdin")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Be a carrier. Failure in one sentence if that cannot be."""
    accounts = {args.user: sys.stdin.readline().rstrip("\r\n")} if args.user else {}
    if args.user and not accounts[args.user]:
        raise Failure("there is no password on stdin")
    try:
        networks = [ipaddress.ip_network(text) for text in args.peer or ("127.0.0.0/8", "::1/128")]
        ipaddress.ip_address(args.host)
    except ValueError as error:
        raise Failure(str(error)) from None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    return asyncio.run(serve(args, accounts, networks))


async def serve(
    args: argparse.Namespace,
    accounts: dict[str, str],
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
) -> int:
    """Listen, say so, wait for the signal, stop."""
    from signaling.clock import SystemClock
    from signaling.pstn.carrier import Carrier

    garbage.collect_as_usual()

    def is_peer(address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in networks)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    carrier = Carrier(SystemClock(), accounts, peers=is_peer, host=args.host, keyed=print_keys)
    try:
        await listen(carrier, args.host, args.port)
        await stop.wait()
    finally:
        await carrier.close()
    return 0


def print_keys(number: str, keys: str) -> None:
    """What a menu heard, for whoever reads along."""
    print(f"heard {json.dumps({'number': number, 'keys': keys})}", flush=True)


async def listen(carrier: "Carrier", host: str, port: int) -> None:
    """On UDP and TCP at one port."""
    from signaling.pstn.sip.hop import Transport, bracketed

    try:
        udp = await carrier.listen(Transport.UDP, host, port)
        await carrier.listen(Transport.TCP, host, udp.port)
    except OSError as error:
        raise Failure(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    ready = {"uri": f"sip:{bracketed(udp.host)}:{udp.port}", "host": udp.host, "port": udp.port}
    print(f"ready {json.dumps(ready)}", flush=True)
