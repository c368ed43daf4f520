"""Checks an export of WePhone's journal of decisions; needs nothing of WePhone.

It runs on Python 3.11 and the package `cryptography`:

    python verify.py [--key ed25519:... | --key FILE] [--head FILE] [--partial] [JOURNAL]

JOURNAL is what `wephone audit export` wrote: the file, or its folder (default: this one).
--key is the public key by which the checkpoints have to be signed, as the operator published it or as you
noted it before; without one whoever signed is believed and named, which proves less: compare that key.
--head is a checkpoint, or an earlier export, that you kept: what it says has to be in this one. Both may be
repeated. --partial: the export is of a part (of one node, or of some days), so that what lies before or
behind it is not missed. Without it an export that does not begin at the first entry, or that ends before an
entry which a checkpoint or a kept head names, is not whole.

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

    def covers(self, chain: Chain) -> int:
        """The last entry of a chain that is signed; 0 if none is."""
        heads = (head for fields in self.signed for head in fields["heads"])
        return max((head["seq"] for head in heads if head["node"] == chain.node), default=0)

    def settled(self, key: str) -> None:
        """The heading names a signer, and a key that is trusted has signed something. BadError."""
        if not self.signed:
            if self.trusted:
                raise BadError(
                    "nothing in this export is signed by a key that you trust: it has no checkpoint"
                )
        elif key not in self.keys.values():
            signers = ", ".join(sorted(set(self.keys.values())))
            raise BadError(f"the first line names the key {key}, and the checkpoints are signed by {signers}")


def verify(file: Path, trusted: set[str], kept: list[tuple[str, list[Json]]], *, partial: bool) -> list[str]:
    """What was found to be whole, in sentences; BadError, or what reading raises."""
    records = read(file)
    first = next(records)
    chains = begun(first, partial=partial)
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
        else:
            raise BadError(f"there is a record that no export has: {json.dumps(record)[:80]}")
    for head in first["heads"]:
        if chains[head["node"]].seq != head["seq"]:
            raise BadError(f"{head['node']}: the entries end before {head['seq']}, where this export ends")
    line.settled(first["key"])
    known = [*((f"checkpoint {each['number']}", each["heads"]) for each in line.signed), *kept]
    beyond = agree(chains, known, partial=partial)
    permits = sum(held(record, documents, whole=not partial) for record in versions)
    if gone := documents.keys() - set(map(version_of, versions)):  # every export has all versions
        raise BadError(f"{min(gone)} is missing, and was filed")
    return sentences(chains, line, beyond, permits)


def begun(first: Json, *, partial: bool) -> dict[str, Chain]:
    """The chains that the heading announces, each before its first entry. BadError."""
    chains = {after["node"]: Chain(after) for after in first["after"]}
    ends = {head["node"]: head["seq"] for head in first["heads"]}
    if not chains or chains.keys() != ends.keys():
        raise BadError("the first line names no chain, or not where each begins and ends")
    for chain in chains.values():
        if chain.first and not partial:
            raise BadError(f"{chain.node}: entries 1 to {chain.first} are not in this export; {IF_PART}")
    if not partial and not any(ends.values()):
        raise BadError("there is no entry in this export")
    return chains


IF_PART = "if it is meant to be of a part, say --partial"


def agree(chains: dict[str, Chain], known: list[tuple[str, list[Json]]], *, partial: bool) -> dict[str, str]:
    """Entries and heads, signed in this export or kept elsewhere, have to say the same. BadError.

    What is known of each node beyond the end of a partial export.
    """
    beyond = {}
    for name, heads in known:
        for head in heads:
            node, seq = head["node"], head["seq"]
            chain = chains.get(node, Chain({"node": node, "seq": 0, "at": 0, "hash": GENESIS}))
            if chain.holds(head, name) or seq <= chain.seq:
                continue
            if not partial:
                raise BadError(
                    f"{node}: the export stops at entry {chain.seq}, and {name} goes up to {seq}; {IF_PART}"
                )
            beyond[node] = f"{name} goes up to {seq}"
    return beyond


def sentences(chains: dict[str, Chain], line: Line, beyond: dict[str, str], permits: int) -> list[str]:
    """What a person should know of an export that is whole."""
    said = []
    for chain in chains.values():
        covered = chain.seq if chain.node in beyond else line.covers(chain)
        said.append(
            f"{chain.node}: entries {chain.first + 1} to {chain.seq} are whole, signed up to {covered}"
            if chain.seq > chain.first
            else f"{chain.node}: there is no entry in this part"
        )
    said += (
        f"{node}: it stops at entry {chains[node].seq if node in chains else 0}, and {known}"
        for node, known in beyond.items()
    )
    said.append(f"{line.count} checkpoints and {permits} versions of permits and switches are whole")
    said += (f"{node} signs with {key}" for node, key in sorted(line.keys.items()))
    if not line.signed:
        said.append("nothing is signed: whoever has this copy could have written it")
    elif not line.trusted:
        said.append("no key was given: compare the one that signs with a note of your own")
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
    parser.add_argument("--partial", action="store_true")
    arguments = parser.parse_args()
    journal: Path = arguments.journal
    file = journal / "journal.jsonl" if journal.is_dir() else journal
    try:
        kept = [(f"`{head}`", kept_in(head)) for head in arguments.head]
        trusted = set(map(key_in, arguments.key))
        for sentence in verify(file, trusted, kept, partial=arguments.partial):
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
