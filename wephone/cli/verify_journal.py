"""Checks an export of WePhone's journal of decisions; needs nothing of WePhone.

It runs on Python 3.11 and the package `cryptography`:

    python verify.py [--key ed25519:... | --key FILE] [--head FILE] [JOURNAL]

JOURNAL is what `wephone audit export` wrote: the file, or its folder (default: this one).
--key is the public key by which the checkpoints have to be signed, as the operator published it or as you
noted it before; without one the key in the export itself is believed, which proves less. --head is a
checkpoint, or an earlier export, that you kept: what it says has to be in this one. Both may be repeated.

Exit code 0 if all is whole, 1 if not, with the first bad record on stderr.
"""

import argparse
import base64
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64  # the hash before the first entry, and before the first checkpoint
PREFIX = "ed25519:"

Json = dict[str, Any]


class BadError(Exception):
    """The first bad record, in one sentence."""


class Chain:
    """One node's entries, in the order in which they come."""

    def __init__(self, after: Json) -> None:
        self.node, self.first = after["node"], after["seq"]
        self.seq, self.at, self.hash = after["seq"], after["at"], after["hash"]
        self.hashes: dict[int, str] = {self.seq: self.hash}

    def add(self, entry: Json) -> None:
        """The next entry, or BadError."""
        name = f"{self.node}: entry {self.seq + 1}"
        if entry["seq"] != self.seq + 1:
            raise BadError(f"{name} is missing: the next one is {entry['seq']}")
        if entry["prev"] != self.hash:
            raise BadError(f"{name} does not follow from the entry before it")
        if entry["at"] != max(self.at, entry["said_at"]):
            raise BadError(f"{name}: its time runs backwards")
        if entry["hash"] != entry_hash(entry):
            raise BadError(f"{name} was altered")
        self.seq, self.at, self.hash = entry["seq"], entry["at"], entry["hash"]
        self.hashes[self.seq] = self.hash

    def holds(self, head: Json, whose: str) -> bool:
        """Does it agree with that head? False if the export does not reach there."""
        if head["seq"] < self.first or head["seq"] > self.seq:
            return False
        if self.hashes[head["seq"]] != head["hash"]:
            raise BadError(f"{self.node}: entry {head['seq']} differs from {whose}")
        return True


def entry_hash(entry: Json) -> str:
    """SHA-256 over the 32 bytes of the hash before, and canonical JSON of all but the two hashes."""
    quoted = {key: json.dumps(entry[key]) for key in ("kind", "node", "subject")}
    record = (
        f'{{"at":{entry["at"]},"body":{entry["body"]},"kind":{quoted["kind"]},"node":{quoted["node"]},'
        f'"said_at":{entry["said_at"]},"seq":{entry["seq"]},"subject":{quoted["subject"]}}}'
    )
    return sha256(bytes.fromhex(entry["prev"]) + record.encode("utf-8", "surrogatepass")).hexdigest()


def signed_by(key: str, document: str, signature: str) -> bool:
    """Was this very document signed with the other half of the key?"""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix(PREFIX)))
        public.verify(base64.b64decode(signature), document.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


class Line:
    """The signed checkpoints, in the order in which they come."""

    def __init__(self, trusted: set[str]) -> None:
        self.trusted = trusted
        self.keys: dict[str, str] = {}  # node -> the key by which it signs
        self.prev, self.count = GENESIS, 0
        self.signed: list[Json] = []

    def add(self, record: Json) -> None:
        """The next checkpoint, or BadError."""
        document = record["document"]
        fields = json.loads(document)
        name = f"checkpoint {fields['number']}"
        if not signed_by(fields["key"], document, record["signature"]):
            raise BadError(f"{name} was altered: its signature does not hold")
        if fields["prev"] != self.prev:
            raise BadError(f"{name} does not follow from the checkpoint before it")
        known = self.keys.setdefault(fields["node"], fields["key"])
        if (
            known != fields["key"] and fields["acknowledges"] is None
        ):  # the old one is lost, or it is a forgery
            raise BadError(f"{name} is signed by another key than the one before it, which did not name it")
        if self.trusted and fields["key"] not in self.trusted:
            raise BadError(f"{name} is signed by {fields['key']}, which is not a key that you trust")
        self.keys[fields["node"]] = fields["next_key"] or fields["key"]
        if fields["next_key"] is not None:
            self.trusted |= {fields["next_key"]} if self.trusted else set()
        self.prev = sha256(document.encode()).hexdigest()
        self.count += 1
        self.signed.append(fields)


def verify(file: Path, trusted: set[str], kept: list[tuple[str, list[Json]]]) -> list[str]:
    """What was found to be whole, in sentences; BadError, or what reading raises."""
    records = read(file)
    first = next(records)
    chains = {after["node"]: Chain(after) for after in first["after"]}
    line = Line(trusted)
    documents: dict[str, tuple[str, int, str]] = {}  # hash of a permit's version -> what an entry says it is
    versions = []
    for record in records:
        if "seq" in record:
            chain = chains.get(record["node"])
            if chain is None:
                raise BadError(
                    f"entry {record['seq']} belongs to node {record['node']}, which is not exported"
                )
            chain.add(record)
            documents |= documents_in(record)
        elif "checkpoint" in record:
            line.add(record)
        elif "register" in record:
            versions.append(record)
    for head in first["heads"]:
        if chains[head["node"]].seq != head["seq"]:
            raise BadError(f"{head['node']}: the entries end before {head['seq']}, where this export ends")
    to_the_end = first["until"] is None
    agree(chains, line, kept, first["node"], to_the_end=to_the_end)
    whole = to_the_end and first["node"] is None and all(chain.first == 0 for chain in chains.values())
    permits = sum(held(record, documents, whole=whole) for record in versions)
    if gone := documents.keys() - set(map(version_of, versions)):  # every export has all versions
        raise BadError(f"{min(gone)} is missing, and was filed")
    return sentences(chains, line, first["key"], permits)


def agree(
    chains: dict[str, Chain],
    line: Line,
    kept: list[tuple[str, list[Json]]],
    node: str | None,
    *,
    to_the_end: bool,
) -> None:
    """Entries and checkpoints, of this export and kept elsewhere, have to say the same. BadError.

    `node`: the export is of that one alone. `to_the_end`: it has everything up to its making.
    """
    signed = [(f"checkpoint {fields['number']}", fields["heads"]) for fields in line.signed]
    for name, heads in [*signed, *((f"`{name}`", heads) for name, heads in kept)]:
        for head in heads:
            if node is not None and head["node"] != node:
                continue
            chain = chains.get(
                head["node"], Chain({"node": head["node"], "seq": 0, "at": 0, "hash": GENESIS})
            )
            if not chain.holds(head, name) and head["seq"] > chain.seq and to_the_end:
                raise BadError(
                    f"{head['node']}: entry {chain.seq + 1} is missing: {name} goes up to {head['seq']}"
                )


def sentences(chains: dict[str, Chain], line: Line, key: str, permits: int) -> list[str]:
    """What a person should know of an export that is whole."""
    said = []
    for chain in chains.values():
        reached = [
            head["seq"] for fields in line.signed for head in fields["heads"] if head["node"] == chain.node
        ]
        covered = max((seq for seq in reached if seq <= chain.seq), default=0)
        if max(reached, default=0) > chain.seq:
            covered = chain.seq
        said.append(
            f"{chain.node}: entries {chain.first + 1} to {chain.seq} are whole, signed up to {covered}"
        )
    said.append(f"{line.count} checkpoints and {permits} versions of permits and switches are whole")
    if not line.trusted:
        said.append(f"the key was taken from the export itself: compare it with a note of your own: {key}")
    said.append("that every call is in this journal only the carrier's own records can show")
    return said


def documents_in(entry: Json) -> dict[str, tuple[str, int, str]]:
    """The hashes of permits and switches that an entry made."""
    rows = json.loads(entry["body"]).get("rows", [])
    if not isinstance(rows, list):
        return {}
    return {
        f"{row['kind']} {row['key']} {row['version']}": (row["key"], row["version"], row["sha256"])
        for row in rows
        if isinstance(row, dict) and "sha256" in row
    }


def version_of(record: Json) -> str:
    """Which version of what a record of the register is."""
    return f"{record['register']} {record['key']} {record['version']}"


def held(record: Json, documents: dict[str, tuple[str, int, str]], *, whole: bool) -> bool:
    """Is this version what the entry of its change says? False if that entry is not in this export."""
    name = version_of(record)
    if name not in documents:
        if whole:
            raise BadError(f"{name}: no entry says that it was made")
        return False
    if documents[name][2] != sha256(record["document"].encode("ascii")).hexdigest():
        raise BadError(f"{name} was altered: it is not what the entry of its change says")
    return True


def read(file: Path) -> Iterator[Json]:
    """The records of an export; the first is its heading."""
    with file.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            try:
                record = json.loads(text)
            except ValueError:
                raise BadError(f"line {number} of {file} is no JSON") from None
            if not isinstance(record, dict) or (number == 1 and record.get("format") != "wephone.audit/1"):
                raise BadError(f"line {number} of {file} is no record of an export")
            yield record


def kept_in(file: Path) -> list[Json]:
    """The heads of a checkpoint or export that was kept."""
    with file.open(encoding="utf-8") as lines:
        record = json.loads(next(lines))
    if "document" in record:
        fields = json.loads(record["document"])
        if not signed_by(fields["key"], record["document"], record["signature"]):
            raise BadError(f"{file} was altered: its signature does not hold")
        record = fields
    return list(record["heads"])


def key_in(text: str) -> str:
    """A key, or the first word of a file that has one."""
    return text if text.startswith(PREFIX) else Path(text).read_text().split()[0]


def main() -> int:
    """Read the arguments, verify, say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("journal", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--head", action="append", default=[], type=Path)
    arguments = parser.parse_args()
    journal: Path = arguments.journal
    file = journal / "journal.jsonl" if journal.is_dir() else journal
    try:
        kept = [(str(head), kept_in(head)) for head in arguments.head]
        for sentence in verify(file, set(map(key_in, arguments.key)), kept):
            print(sentence)
    except BadError as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, KeyError, IndexError, TypeError, ValueError, StopIteration) as error:
        print(f"cannot be read as an export: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
