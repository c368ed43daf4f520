"""`wephone audit`: is the journal of decisions whole, and a copy of it for others to check."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import quote

from wephone.cli import operating, reconcile
from wephone.cli.operating import OperatorApi, Refused
from wephone.cli.output import Failure, print_json, say

AUDIT = "/api/operator/audit"
VERIFY, EXPORT = f"{AUDIT}/verify", f"{AUDIT}/export"
JOURNAL, VERIFIER, README = "journal.jsonl", "verify.py", "README.txt"  # of an export
GLANCE = 0.3  # seconds between two looks at how far it is
BAR = 30  # characters
PATIENCE = 3600.0  # seconds: a journal of years is read whole
ENTRY = b'{"node":'  # how its line begins
LARGEST_LINE = 1 << 20  # bytes of a file with heads

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What the command's actions are added to."""


def register(subparsers: Actions) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "audit",
        help="verify, export and reconcile the journal of decisions",
        description="Verifies and exports the journal of decisions, permit changes and toggles.",
        epilog="Exit code 0 if all is whole, 1 if not, with the first bad entry on stderr.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add_verify(actions)
    add_export(actions)
    add_key(actions)
    add_checkpoint(actions)
    add_acknowledge(actions)
    reconcile.register(actions, moment, day_after)


def add_verify(actions: Actions) -> None:
    verify = actions.add_parser(
        "verify", help="check every entry of every chain, and the names kept beside them"
    )
    verify.add_argument(
        "--head",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="kept elsewhere: a checkpoint, or what `verify --json` or `export` wrote; may be repeated",
    )
    verify.add_argument("--chain-only", action="store_true", help="leave the names and numbers out")
    operating.add_options(verify)
    verify.set_defaults(run=run_verify)


def add_export(actions: Actions) -> None:
    export = actions.add_parser(
        "export",
        help="write a signed copy that others can check; no name or number is in clear, but `--why` is",
    )
    export.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="a new folder for the journal and what checks it without WePhone",
    )
    export.add_argument("--out", metavar="FILE", type=Path, help="to this file rather than to stdout")
    export.add_argument("--node", metavar="NAME", help="of this node alone")
    export.add_argument("--after", metavar="SEQ", type=int, default=0, help="entries after this number alone")
    export.add_argument(
        "--from", dest="since", metavar="DATE", type=moment, help="entries of that UTC day on"
    )
    export.add_argument("--to", metavar="DATE", type=day_after, help="entries up to the end of that UTC day")
    operating.add_options(export)
    export.set_defaults(run=run_export)


def add_key(actions: Actions) -> None:
    key = actions.add_parser("key", help="show the public key that signs checkpoints")
    key.add_argument("--rotate", action="store_true", help="sign with another key from now on")
    operating.add_options(key)
    key.set_defaults(run=run_key)


def add_checkpoint(actions: Actions) -> None:
    checkpoint = actions.add_parser(
        "checkpoint", help="sign how far everything reaches, to be kept elsewhere"
    )
    checkpoint.add_argument("--out", metavar="FILE", type=Path, help="to this file rather than to stdout")
    operating.add_options(checkpoint)
    checkpoint.set_defaults(run=run_checkpoint)


def add_acknowledge(actions: Actions) -> None:
    acknowledge = actions.add_parser(
        "acknowledge", help="accept that evidence was lost, as by an old backup; phones can be called again"
    )
    acknowledge.add_argument(
        "--why",
        metavar="TEXT",
        required=True,
        help="why; it enters the journal word for word, for good: name nobody in it",
    )
    operating.add_options(acknowledge)
    acknowledge.set_defaults(run=run_acknowledge)


# Verifying


def run_verify(args: argparse.Namespace) -> int:
    """Verify, and say what is wrong first."""
    kept = [head for file in args.head for head in heads_in(file)]
    epoch = max((epoch_in(file) for file in args.head), default=0)

    async def work(api: OperatorApi) -> int:
        body = {"heads": kept, "epoch": epoch, "names": not args.chain_only}
        try:
            async with shown_progress(api):
                answer = await api.request("POST", VERIFY, body, within=PATIENCE)
        except Refused as refused:
            files = ", ".join(map(str, args.head))
            raise Failure(f"{files}: {refused}" if files else str(refused)) from None
        for chain in answer["chains"]:
            tell_faults(chain)
        for fault in filter(None, (answer["checkpoints"]["fault"], answer["lost"])):
            say(f"wephone: {fault}")
        if args.json:
            print_json(answer)
        elif answer["ok"]:
            for chain in answer["chains"]:
                tell_chain(chain)
            print(f"{answer['checkpoints']['count']} signed checkpoints, all whole")
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
        if isinstance(document, dict) and isinstance(document.get("document"), str):
            document = signed_in(file, text)
    except OSError as error:
        raise Failure(f"cannot read `{file}`: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise Failure(f"{file}: is no JSON: {error}") from None
    return document if isinstance(document, dict) else {}


def signed_in(file: Path, text: bytes) -> dict[str, Any]:
    """What a checkpoint says, if it is as it was signed."""
    from licensing.checkpoint import CheckpointError, read_file

    try:
        document: dict[str, Any] = json.loads(read_file(text).document)
    except CheckpointError as error:
        raise Failure(f"{file}: {error}") from None
    return document


def epoch_in(file: Path) -> int:
    """The register's epoch in it; 0 if it says none, as an export does."""
    epoch = document_in(file).get("epoch", 0)
    if type(epoch) is not int:
        raise Failure(f"{file}: epoch: is no number (found {epoch!r:.80})")
    return epoch


@asynccontextmanager
async def shown_progress(api: OperatorApi) -> AsyncIterator[None]:
    """A bar on stderr while it lasts, if a person looks."""
    if not sys.stderr.isatty():
        yield
        return

    async def show() -> None:
        while True:
            await asyncio.sleep(GLANCE)
            found = await api.request("GET", f"{AUDIT}/progress")
            if found["of"]:
                sys.stderr.write(f"\r{bar(found['done'], found['of'])}")
                sys.stderr.flush()

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.wait((showing,))
        sys.stderr.write("\r\x1b[K")  # ECMA-48: the line is empty again
        sys.stderr.flush()


def bar(done: int, of: int) -> str:
    """How far it is."""
    filled = BAR * done // of
    return f"[{'#' * filled}{' ' * (BAR - filled)}] {done} of {of} entries"


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
    if args.folder is not None and args.out is not None:
        raise Failure("say either a folder or --out")
    if args.folder is not None and args.folder.exists():
        raise Failure(f"`{args.folder}` exists already")
    query = f"?after={args.after}&since={args.since or 0}"
    query += "" if args.to is None else f"&until={args.to}"
    query += "" if args.node is None else f"&node={quote(args.node, safe='')}"

    async def work(api: OperatorApi) -> int:
        pieces = api.pieces(EXPORT + query)
        if args.out is None and args.folder is None:
            await write(pieces, sys.stdout.buffer)
            return 0
        out = args.out if args.folder is None else made(args.folder) / JOURNAL
        entries = await write_file(pieces, out)
        if args.json:
            print_json({"file": str(out), "entries": entries, "heads": heads_in(out)})
        else:
            print(f"{entries} entries are in {out}")
        return 0

    return operating.run(args, work)


def made(folder: Path) -> Path:
    """The folder, with what checks an export without any of our code."""
    try:
        folder.mkdir(parents=True)
        for name, resource in ((VERIFIER, "verify_journal.py"), (README, "journal_readme.txt")):
            (folder / name).write_bytes(files("wephone.cli").joinpath(resource).read_bytes())
    except OSError as error:
        raise Failure(f"cannot write `{folder}`: {(error.strerror or str(error)).lower()}") from None
    return folder


def moment(text: str) -> int:
    """The first moment of a UTC day, in microseconds, or the moment that is written with its zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return int(found.timestamp()) * 1_000_000


def day_after(text: str) -> int:
    """When that UTC day is over."""
    return moment(text) + timedelta(days=1) // timedelta(microseconds=1)


async def write_file(pieces: AsyncIterator[bytes], path: Path) -> int:
    """Write them to the file, which is there only when it is whole; how many entries it has."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            await write(pieces, file)
        with unfinished.open("rb") as written:
            entries = sum(line.startswith(ENTRY) for line in written)
        unfinished.replace(path)
    except OSError as error:
        raise Failure(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return entries


async def write(pieces: AsyncIterator[bytes], file: BinaryIO) -> None:
    """Write them."""
    async for piece in pieces:
        file.write(piece)
    file.flush()


# Checkpoints


def run_key(args: argparse.Namespace) -> int:
    """Show the public key."""

    async def work(api: OperatorApi) -> int:
        key = await api.request("POST" if args.rotate else "GET", f"{AUDIT}/key")
        if args.json:
            print_json(key)
        else:
            print(f"{key['key']}  {key['id']}  {key['node']}")
        return 0

    return operating.run(args, work)


def run_checkpoint(args: argparse.Namespace) -> int:
    """Make one, and write it where it is asked for."""

    async def work(api: OperatorApi) -> int:
        checkpoint = (await api.request("POST", f"{AUDIT}/checkpoints"))["checkpoint"]
        if checkpoint is None:
            raise Failure("nothing was ever written that could be signed")
        text = json.dumps({"document": checkpoint["document"], "signature": checkpoint["signature"]}) + "\n"
        if args.out is not None:
            try:
                args.out.write_text(text)
            except OSError as error:
                raise Failure(
                    f"cannot write `{args.out}`: {(error.strerror or str(error)).lower()}"
                ) from None
        if args.json:
            print_json({**checkpoint, "file": None if args.out is None else str(args.out)})
        else:
            print(
                text.rstrip() if args.out is None else f"checkpoint {checkpoint['number']} is in {args.out}"
            )
        return 0

    return operating.run(args, work)


def run_acknowledge(args: argparse.Namespace) -> int:
    """Accept the loss."""

    async def work(api: OperatorApi) -> int:
        checkpoint = await api.request("POST", f"{AUDIT}/acknowledge", {"why": args.why})
        if args.json:
            print_json(checkpoint)
        else:
            print(f"the loss is accepted; checkpoint {checkpoint['number']} says so")
        return 0

    return operating.run(args, work)
