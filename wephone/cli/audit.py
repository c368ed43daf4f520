"""`wephone audit`: is the journal of decisions whole, and a copy of it for others to check."""

import argparse
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from wephone.cli import operating
from wephone.cli.operating import OperatorApi, Refused
from wephone.cli.output import Failure, print_json, say

VERIFY, EXPORT = "/api/operator/audit/verify", "/api/operator/audit/export"
PATIENCE = 3600.0  # seconds: a journal of years is read whole
LARGEST_LINE = 1 << 20  # bytes of a file with heads


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "audit",
        help="verify, export and reconcile the journal of decisions",
        description="Verifies and exports the journal of decisions, permit changes and toggles.",
        epilog="Exit code 0 if all is whole, 1 if not, with the first bad entry on stderr.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser(
        "verify", help="check every entry of every chain, and the names kept beside them"
    )
    verify.add_argument(
        "--head",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="heads kept elsewhere: what an earlier `verify --json` or `export` wrote; may be repeated",
    )
    verify.add_argument("--chain-only", action="store_true", help="leave the names and numbers out")
    operating.add_options(verify)
    verify.set_defaults(run=run_verify)
    export = actions.add_parser(
        "export", help="write the journal as JSON lines; no name or number is in clear"
    )
    export.add_argument("--out", metavar="FILE", type=Path, help="to this file rather than to stdout")
    export.add_argument("--node", metavar="NAME", help="of this node alone")
    export.add_argument("--after", metavar="SEQ", type=int, default=0, help="entries after this number alone")
    operating.add_options(export)
    export.set_defaults(run=run_export)
    reconcile = actions.add_parser("reconcile", help="not built yet")
    reconcile.add_argument("rest", nargs=argparse.REMAINDER)
    reconcile.set_defaults(run=not_built)


def not_built(args: argparse.Namespace) -> int:
    """Says so."""
    say("wephone: `audit reconcile` is not built yet")
    return 2


# Verifying


def run_verify(args: argparse.Namespace) -> int:
    """Verify, and say what is wrong first."""
    kept = [head for file in args.head for head in heads_in(file)]

    async def work(api: OperatorApi) -> int:
        body = {"heads": kept, "names": not args.chain_only}
        try:
            answer = await api.request("POST", VERIFY, body, within=PATIENCE)
        except Refused as refused:
            files = ", ".join(map(str, args.head))
            raise Failure(f"{files}: {refused}" if files else str(refused)) from None
        for chain in answer["chains"]:
            tell_faults(chain)
        if args.json:
            print_json(answer)
        elif answer["ok"]:
            for chain in answer["chains"]:
                tell_chain(chain)
        return 0 if answer["ok"] else 1

    return operating.run(args, work)


def heads_in(file: Path) -> list[dict[str, Any]]:
    """The heads in the first line of a file, or in the file as a whole."""
    heads = document_in(file).get("heads")
    if not isinstance(heads, list):
        raise Failure(f"{file}: heads: is no list (found {heads!r:.80})")
    return heads


def document_in(file: Path) -> dict[str, Any]:
    """The JSON object in the first line of a file, or in the file as a whole; empty if it is no object."""
    try:
        with file.open("rb") as opened:
            first = opened.readline(LARGEST_LINE)
            text = first if first.rstrip().endswith(b"}") else first + opened.read(LARGEST_LINE)
        document = json.loads(text)
    except OSError as error:
        raise Failure(f"cannot read `{file}`: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise Failure(f"{file}: is no JSON: {error}") from None
    return document if isinstance(document, dict) else {}


def tell_faults(chain: dict[str, Any]) -> None:
    """What is wrong with one chain."""
    if chain["fault"] is not None:
        say(f"wephone: {chain['node']}: entry {chain['fault']['seq']}: {chain['fault']['fault']}")
    for seq in chain["altered"]:
        say(f"wephone: {chain['node']}: entry {seq}: a name or number beside it was altered")


def tell_chain(chain: dict[str, Any]) -> None:
    """That one is whole."""
    head = chain["head"]
    print(f"{chain['node']}: {head['seq']} entries, whole up to {head['hash']}")
    if chain["names"] is not None:
        print(f"  names and numbers: {chain['names']['present']} present, {chain['names']['erased']} erased")


# Exporting


def run_export(args: argparse.Namespace) -> int:
    """Write the journal out."""
    query = f"?after={args.after}" + ("" if args.node is None else f"&node={quote(args.node, safe='')}")

    async def work(api: OperatorApi) -> int:
        pieces = api.pieces(EXPORT + query)
        if args.out is None:
            await write(pieces, sys.stdout.buffer)
            return 0
        entries = await write_file(pieces, args.out)
        if args.json:
            print_json({"file": str(args.out), "entries": entries, "heads": heads_in(args.out)})
        else:
            print(f"{entries} entries are in {args.out}")
        return 0

    return operating.run(args, work)


async def write_file(pieces: AsyncIterator[bytes], path: Path) -> int:
    """Write them to the file, which is there only when it is whole; how many entries it has."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            lines = await write(pieces, file)
        unfinished.replace(path)
    except OSError as error:
        raise Failure(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return lines - 1  # the first has the heads


async def write(pieces: AsyncIterator[bytes], file: BinaryIO) -> int:
    """Write them; how many lines they were."""
    lines = 0
    async for piece in pieces:
        file.write(piece)
        lines += piece.count(b"\n")
    file.flush()
    return lines
