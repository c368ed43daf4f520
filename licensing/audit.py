"""The hash chain of the journal: what an entry is, how it is linked, and what `verify` can tell.

Pure, and on the standard library alone, so that the process that writes the journal can import it without
the rest. A chained entry holds no personal datum in clear: numbers and names enter as salted hashes, and the
clear values with their salts lie in rows beside the chain, to be deleted at a date without breaking it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from json.encoder import encode_basestring_ascii as _quoted

GENESIS = "0" * 64  # the hash before the first entry of a node
MOST_NAMED = 10  # altered values; one is bad enough
SALT = 16  # bytes; numbers are guessable, so a hash without an unguessable salt would be the number

# In canonical JSON a quote inside of a text has a backslash before it, so that neither is found in one.
_PEOPLE = re.compile(r'"people":(\{[^}]*\})')
_HASHES = re.compile(r':"([0-9a-f]{64})"')
_SEALED = re.compile(r'"(?:by|caller_id|destination)":"([0-9a-f]{64})"')

# An entry as a database gives it: the fields of Entry in their order.
Row = tuple[str, int, int, int, str, str, str, str, str]
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


@dataclass(slots=True)
class Checked:
    """A chain, and what lies beside it: whole up to `head`; `broken` is what is wrong with the next entry."""

    head: Head
    broken: Broken | None = None
    clear: Counter[str] = field(default_factory=Counter)  # "present", "erased", "altered" -> how many values
    altered: list[int] = field(default_factory=list)  # entries whose clear values are not what was sealed

    @property
    def sound(self) -> bool:
        return self.broken is None and not self.altered


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
    return verify_rows((_row(entry) for entry in entries), after=after, kept=kept)


def verify_rows(rows: Iterable[Row], *, after: Head, kept: Iterable[Head] = ()) -> Verified | Broken:
    """`verify`, for entries as a database gives them: years of a journal are read without a model of each."""
    expected: dict[int, list[str]] = {}
    for checkpoint in kept:
        if checkpoint.node == after.node:
            expected.setdefault(checkpoint.seq, []).append(checkpoint.hash)
    node, seq, at, prev = after.node, after.seq, after.at, after.hash
    raw = bytes.fromhex(prev)
    for row in rows:
        if not _follows(row, node, seq, at, prev):
            return Broken(node, seq + 1, _fault(row, node, seq, at, prev))
        _, seq, at, said_at, kind, subject, body, prev, value = row
        digest = sha256(raw + _record(at, body, kind, node, said_at, seq, subject))
        if digest.hexdigest() != value:
            return Broken(node, seq, "was altered")
        prev, raw = value, digest.digest()
        if seq in expected and set(expected.pop(seq)) != {value}:
            return Broken(node, seq, "differs from the checkpoint kept elsewhere")
    if missing := [number for number in expected if number > seq]:
        return Broken(node, seq + 1, f"the chain ends before checkpoint {max(missing)}")
    return Verified(Head(node, seq, at, prev))


def _row(entry: Entry) -> Row:
    return (
        *(entry.node, entry.seq, entry.at, entry.said_at, entry.kind),
        *(entry.subject, entry.body, entry.prev, entry.hash),
    )


def _follows(row: Row, node: str, seq: int, at: int, prev: str) -> bool:
    """Is it in its place? Somebody who edits a file may leave any type of value in it."""
    when, said_at = row[2], row[3]
    return (
        type(when) is int
        and type(said_at) is int
        and row[0] == node
        and row[1] == seq + 1
        and row[7] == prev
        and when == (said_at if said_at > at else at)
        and type(row[4]) is str
        and type(row[5]) is str
        and type(row[6]) is str
    )


def _fault(row: Row, node: str, seq: int, at: int, prev: str) -> str:
    """What is wrong with one that is not in its place."""
    if row[0] != node:
        return f"belongs to node {row[0]}"
    if row[1] != seq + 1:
        return f"missing: the next entry is {row[1]}"
    if row[7] != prev:
        return "does not follow from the entry before it"
    if type(row[2]) is int and type(row[3]) is int and row[2] != max(at, row[3]):
        return "its time runs backwards"
    return "was altered"


def _record(at: int, body: str, kind: str, node: str, said_at: int, seq: int, subject: str) -> bytes:
    """Canonical JSON of the whole entry but its hashes; `body` is canonical already and enters as it is."""
    return (
        f'{{"at":{at},"body":{body},"kind":{_quoted(kind)},"node":{_quoted(node)},'
        f'"said_at":{said_at},"seq":{seq},"subject":{_quoted(subject)}}}'
    ).encode("utf-8", "surrogatepass")


def _hash(prev: str, record: bytes) -> str:
    """SHA-256 over the previous entry's 32 bytes and this entry's record, in lower-case hex."""
    return sha256(bytes.fromhex(prev) + record).hexdigest()


def sealed_in(body: str) -> list[str]:
    """The salted hashes of names and numbers in the body of an entry, most of which nobody parses."""
    people = _PEOPLE.search(body)
    found = _HASHES.findall(people[1]) if people else []
    return [*found, *_SEALED.findall(body)]


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
