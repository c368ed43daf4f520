"""The hash chain of the journal: what an entry is, how it is linked, and what `verify` can tell.

Pure, and on the standard library alone, so that the process that writes the journal can import it without
the rest. A chained entry holds no personal datum in clear: numbers and names enter as salted hashes, and the
clear values with their salts lie in rows beside the chain, to be deleted at a date without breaking it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

GENESIS = "0" * 64  # the hash before the first entry of a node
SALT = 16  # bytes; numbers are guessable, so a hash without an unguessable salt would be the number

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class ClearValue:
    """A personal datum beside the chain; its `hash` stands in the entry. `delete_after`: UTC microseconds."""

    hash: str
    salt: bytes
    value: str
    delete_after: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has its place. `at` is the time it speaks of, in UTC microseconds.

    `kind` is the closed word for what happened (decision, permit_event ...), `subject` what it is about (a
    decision's or a permit's id), `body` canonical JSON.
    """

    kind: str
    subject: str
    at: int
    body: str
    clear: tuple[ClearValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One link. `at` never runs backwards on a node; `said_at` is the draft's own time."""

    node: str
    seq: int
    at: int
    said_at: int
    kind: str
    subject: str
    body: str
    prev: str
    hash: str

    @property
    def head(self) -> "Head":
        return Head(self.node, self.seq, self.at, self.hash)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a node's chain, all that the next link needs. A checkpoint is a head kept elsewhere."""

    node: str
    seq: int
    at: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Nothing is wrong, up to this head."""

    head: Head


@dataclass(frozen=True, slots=True)
class Broken:
    """The first bad entry of a chain, by its sequence number, and what is wrong with it."""

    node: str
    seq: int
    fault: str


def beginning(node: str) -> Head:
    """The head of a node that has written nothing."""
    return Head(node, 0, 0, GENESIS)


def canonical(value: Mapping[str, object]) -> str:
    """The one JSON text of a value: sorted keys, no spaces, ASCII (RFC 8785 without its floats).

    TypeError for anything but null, booleans, integers, strings, lists and objects with string keys.
    """
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _check(value: object) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case list() | tuple():
            for item in value:
                _check(item)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"a key of canonical JSON is a string, not {key!r}")
                _check(item)
        case _:
            raise TypeError(f"canonical JSON has no {type(value).__name__}")


def link(head: Head, draft: Draft) -> Entry:
    """The draft as the next entry. Time per node is monotone: a late draft gets the head's time."""
    at = max(head.at, draft.at)
    seq = head.seq + 1
    record = _record(at, draft.body, draft.kind, head.node, draft.at, seq, draft.subject)
    return Entry(
        head.node,
        seq,
        at,
        draft.at,
        draft.kind,
        draft.subject,
        draft.body,
        head.hash,
        _hash(head.hash, record),
    )


def verify(entries: Iterable[Entry], *, after: Head, kept: Iterable[Head] = ()) -> Verified | Broken:
    """Walk a node's chain from `after` (`beginning` for all of it) and name the first bad entry.

    `kept` are heads of this node kept elsewhere: only they can show that the end was cut off or all of it
    written anew.
    """
    expected = {checkpoint.seq: checkpoint for checkpoint in kept if checkpoint.node == after.node}
    head = after
    for entry in entries:
        if fault := _fault(entry, head):
            return Broken(after.node, head.seq + 1, fault)
        head = entry.head
        checkpoint = expected.pop(head.seq, None)
        if checkpoint is not None and checkpoint.hash != head.hash:
            return Broken(after.node, head.seq, "differs from the checkpoint kept elsewhere")
    if missing := [seq for seq in expected if seq > head.seq]:
        return Broken(after.node, head.seq + 1, f"the chain ends before checkpoint {max(missing)}")
    return Verified(head)


def _fault(entry: Entry, head: Head) -> str | None:
    if entry.node != head.node:
        return f"belongs to node {entry.node}"
    if entry.seq != head.seq + 1:
        return f"missing: the next entry is {entry.seq}"
    if entry.prev != head.hash:
        return "does not follow from the entry before it"
    if entry.at < head.at or entry.at != max(head.at, entry.said_at):
        return "its time runs backwards"
    record = _record(entry.at, entry.body, entry.kind, entry.node, entry.said_at, entry.seq, entry.subject)
    if entry.hash != _hash(entry.prev, record):
        return "was altered"
    return None


def _record(at: int, body: str, kind: str, node: str, said_at: int, seq: int, subject: str) -> bytes:
    """Canonical JSON of the whole entry but its hashes; `body` is canonical already and enters as it is."""
    return (
        f'{{"at":{at},"body":{body},"kind":{json.dumps(kind)},"node":{json.dumps(node)},'
        f'"said_at":{said_at},"seq":{seq},"subject":{json.dumps(subject)}}}'
    ).encode("utf-8", "surrogatepass")


def _hash(prev: str, record: bytes) -> str:
    """SHA-256 over the previous entry's 32 bytes and this entry's record, in lower-case hex."""
    return sha256(bytes.fromhex(prev) + record).hexdigest()


def seal(value: str, salt: bytes, delete_after: int) -> ClearValue:
    """A personal datum as it may enter an entry (its `hash`), with the row to keep beside the chain."""
    return ClearValue(salted_hash(value, salt), salt, value, delete_after)


def salted_hash(value: str, salt: bytes) -> str:
    return sha256(salt + value.encode("utf-8", "surrogatepass")).hexdigest()


def clear_state(hash_in_chain: str, row: ClearValue | None) -> str:
    """What became of a datum: "present", "erased", or "altered" when the row no longer gives the hash."""
    if row is None:
        return "erased"
    return "present" if salted_hash(row.value, row.salt) == hash_in_chain else "altered"
