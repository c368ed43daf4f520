"""`wephone permit key` and `sign`: what makes a signed file of permits. They speak to no server."""

import argparse
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wephone.cli.output import Failure, print_json

LARGEST_KEY = 16 * 1024  # bytes


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parsers of both."""
    key = action(
        actions, "key", "make a key that signs files of permits; keep it where no server is", make_key
    )
    key.add_argument("file", metavar="FILE", type=Path, help="of the private half; it must not be there yet")
    sign = action(actions, "sign", "sign a JSON file of permits and toggles, to be dropped in", sign_file)
    sign.add_argument(
        "file", metavar="FILE", type=Path, help="the file; another signature is added to others"
    )
    sign.add_argument("--key", metavar="KEY", type=Path, required=True, help="made by `wephone permit key`")
    sign.add_argument(
        "--out", metavar="FILE", type=Path, help="where it goes, signed; if not said, in its place"
    )


def action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, run: Any
) -> argparse.ArgumentParser:
    """The parser of one action."""
    parser = actions.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON document, last on stdout")
    parser.set_defaults(run=run)
    return parser


def make_key(args: argparse.Namespace) -> int:
    """A new key in a file of its own, for its owner's eyes alone."""
    from licensing.signing import new_key

    made = new_key()
    try:
        with os.fdopen(os.open(args.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.pem())
    except OSError as error:
        raise Failure(f"cannot write `{args.file}`: {said(error)}") from None
    if args.json:
        print_json({"file": str(args.file), "id": made.public.id, "public": str(made.public)})
    else:
        print(f"{args.file} has the key {made.public.id}; add its public half to the server's settings:")
        print(f'  permit_file_keys = ["{made.public}"]')
    return 0


def sign_file(args: argparse.Namespace) -> int:
    """The file with one more signature, written in one step."""
    from licensing.documents import ChangeError
    from licensing.permit_file import LARGEST_FILE, sign
    from licensing.signing import KeyFormatError, read_private_key

    try:
        key = read_private_key(content(args.key, LARGEST_KEY))
        text = sign(content(args.file, LARGEST_FILE), key, datetime.now(UTC))
    except KeyFormatError as error:
        raise Failure(f"{args.key}: {error}") from None
    except ChangeError as error:
        raise Failure(f"{args.file}: {error}") from None
    out = args.out or args.file
    replace(out, text)
    if args.json:
        print_json({"file": str(out), "key": key.public.id})
    else:
        print(f"{out} is signed by {key.public.id}")
    return 0


def content(path: Path, most: int) -> bytes:
    """The bytes of a file, and one more than the most that it may have."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise Failure(f"cannot read `{path}`: {said(error)}") from None


def replace(path: Path, text: str) -> None:
    """Put it there whole, so that a server never reads half of it."""
    part: str | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            part = file.name
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)  # a public document: the server may be another user
            os.fsync(file.fileno())
        Path(part).replace(path)
    except OSError as error:
        if part is not None:
            Path(part).unlink(missing_ok=True)
        raise Failure(f"cannot write `{path}`: {said(error)}") from None


def said(error: OSError) -> str:
    """What went wrong, as commands say it."""
    return (error.strerror or str(error)).lower()
