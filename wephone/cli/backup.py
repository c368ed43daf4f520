"""`wephone backup`: a copy of all rows as of one moment, also while a server runs."""

import argparse
import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wephone.cli import operating
from wephone.cli.output import Failure, print_json

if TYPE_CHECKING:
    from signaling.store.backup import Standing


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "backup",
        help="write a consistent copy of the database",
        description="Writes all rows, as of one moment, into one new file. A server may run meanwhile.",
        epilog="Exit code 0 when the file is whole and on the disk, 1 with the reason on stderr.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="where to; it must not exist yet")
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which database."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="the server's settings (WEPHONE_CONFIG, WEPHONE_*)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, last on stdout")


def run(args: argparse.Namespace) -> int:
    """Copy, and say how far what was copied reaches."""
    from signaling.ports.store import StoreError
    from signaling.store.backup import backup

    settings = operating.settings_of(args)
    try:
        what = asyncio.run(backup(settings.database_url, args.file))
    except StoreError as error:
        raise Failure(str(error)) from None
    if args.json:
        print_json({"file": str(args.file), **document(what)})
    else:
        print(f"all rows are in {args.file}: {described(what)}")
    return 0


def document(what: "Standing") -> dict[str, Any]:
    """How far the evidence reaches, for programs."""
    return {"epoch": what.epoch, "heads": [asdict(head) for head in what.heads]}


def described(what: "Standing") -> str:
    """How far the evidence reaches, for a person."""
    chains = [f"journal of `{head.node}` up to entry {head.seq}" for head in what.heads]
    return ", ".join([f"register at epoch {what.epoch}", *(chains or ["no entry in the journal"])])
