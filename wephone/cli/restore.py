"""`wephone restore`: puts a backup back while no server runs, and never silently to less than there was."""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wephone.cli import operating
from wephone.cli.audit import document_in, heads_in
from wephone.cli.backup import add_options, described, document
from wephone.cli.output import Failure, print_json
from wephone.cli.permit import TELEPHONE

if TYPE_CHECKING:
    from signaling.settings import Settings
    from signaling.store.backup import Standing

WHY = "an older backup was restored"


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "restore",
        help="put a copy back",
        description="Replaces all rows of the database by the backup's, in one step, while no server runs.",
        epilog="Exit code 0 when done, 1 with the reason on stderr; then nothing was changed.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="what `wephone backup` wrote")
    parser.add_argument(
        "--lower-epoch",
        action="store_true",
        help="even if permits, their revocations or journal entries are lost by it; "
        "telephone calls are then off until two operators switch them on",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        help="what there once was, kept elsewhere: written by `audit checkpoint`, `audit export`, or by "
        "`audit verify --json`, `backup --json` or `restore --json`; default: the newest of the data folder",
    )
    parser.add_argument(
        "--as",
        dest="operator",
        metavar="OPERATOR",
        default=os.environ.get("WEPHONE_OPERATOR"),
        help="with --lower-epoch: whose act it is, in the journal (WEPHONE_OPERATOR; default `operator`)",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Restore, and say what there is now."""
    settings = operating.settings_of(args)
    own = settings.data / "checkpoint.json"  # the newest that this server made
    checkpoint = args.checkpoint or (own if own.exists() else None)
    kept = None if checkpoint is None or args.lower_epoch else checkpoint_in(checkpoint)
    what = asyncio.run(restored(args, settings, kept))
    if args.json:
        print_json({"file": str(args.file), **document(what), "telephone_off": args.lower_epoch})
        return 0
    print(f"restored from {args.file}: {described(what)}")
    if args.lower_epoch:
        print(
            "telephone calls are off; once what was lost is made up for, two operators say `wephone pstn on`"
        )
    return 0


def checkpoint_in(file: Path) -> "Standing":
    """What the database once had, by the word of a file."""
    from licensing.audit import Head
    from signaling.store.backup import Standing

    epoch = document_in(file).get("epoch", 0)  # an export of the journal knows of none
    if type(epoch) is not int:
        raise Failure(f"{file}: epoch: is no number (found {epoch!r:.80})")
    heads = []
    for each in heads_in(file):
        try:
            head = Head(each["node"], each["seq"], each["at"], each["hash"])
        except (TypeError, KeyError):
            raise Failure(f"{file}: heads: is no list of heads (found {each!r:.80})") from None
        if list(map(type, (head.node, head.seq, head.at, head.hash))) != [str, int, int, str]:
            raise Failure(f"{file}: heads: is no list of heads (found {each!r:.80})")
        heads.append(head)
    return Standing(epoch, tuple(heads))


async def restored(args: argparse.Namespace, settings: "Settings", kept: "Standing | None") -> "Standing":
    """Replace the rows while nobody else has the data folder."""
    from signaling.folder import DataFolder, FolderError
    from signaling.ports.store import StoreError
    from signaling.store.backup import restore

    url = settings.database_owner or settings.database_url
    try:
        with DataFolder(settings.data):
            if not args.lower_epoch:
                return await restore(args.file, url, lower_epoch=False, at_least=kept)
            with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.data) as folder:
                copy = await switched_off(args, settings.model_copy(update=of(Path(folder))))
                return await replaced(args.file, copy, url)
    except (FolderError, StoreError) as error:
        raise Failure(str(error)) from None


def of(folder: Path) -> dict[str, object]:
    """The settings by which a folder has a database of its own."""
    return {"data": folder, "database": None, "database_owner": None}


async def switched_off(args: argparse.Namespace, settings: "Settings") -> Path:
    """A copy of the backup in which telephone calls are off.

    It is switched before the rows are replaced: at no moment are there old permits and open lines.
    """
    from signaling.store.backup import restore

    copy = settings.data / "wephone.db"
    await restore(args.file, settings.database_url, lower_epoch=True)
    async with operating.offline(settings), operating.on_this_machine(settings, args.operator) as api:
        await api.request("PUT", TELEPHONE, {"on": False, "why": WHY})
    return copy


async def replaced(source: Path, copy: Path, url: str) -> "Standing":
    """Replace the rows by those of the copy; an error names what it is a copy of."""
    from signaling.ports.store import StoreError
    from signaling.store.backup import restore

    try:
        return await restore(copy, url, lower_epoch=True)
    except StoreError as error:
        raise Failure(
            f"cannot restore {source}: {str(error).removeprefix(f'cannot restore {copy}: ')}"
        ) from None
