"""Files that somebody looked at before saying that something is so: their SHA-256 is what is kept."""

from hashlib import sha256
from pathlib import Path

from wephone.cli.output import Failure

PIECE = 1 << 20  # bytes read at a time


def hash_of(path: Path) -> str:
    """SHA-256 of the evidence; Failure if it cannot be read."""
    found = sha256()
    try:
        with path.open("rb") as opened:
            while piece := opened.read(PIECE):
                found.update(piece)
    except OSError as error:
        raise Failure(f"cannot read `{path}`: {(error.strerror or str(error)).lower()}") from None
    return found.hexdigest()
