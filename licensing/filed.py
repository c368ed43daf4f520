"""Is the register what the chain says that was filed? An entry of a change has the hashes of its rows. Pure.

Without this a permit could be edited in the database, with every entry of the chain left whole. What is held
together is all rows and all entries of changes, so that a thing that is gone with all its versions is missed.
An entry that was hidden or altered, the verification of the chain finds; here its epoch is missed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from licensing.audit import ClearValue, Entry, clear_state
from licensing.ports import Filed, RegisterRow

LOSS_ACKNOWLEDGED = "loss_acknowledged"  # the kind of an entry by which an operator accepts a loss

Which = tuple[str, str, int]  # kind, key and version of a row


@dataclass(frozen=True, slots=True)
class FiledFault:
    """One difference, as a sentence. `found`: SHA-256 of the document that is there, None if none is."""

    said: str
    found: str | None = None


@dataclass(frozen=True, slots=True)
class _Made:
    """What an entry says of one row: the epoch that began with it, the SHA-256 of its document, when and who.

    `by`: the salted hash of a name.
    """

    epoch: int
    digest: str
    at: int
    by: str


def filed_faults(
    filed: Filed, until: int | None = None, names: Mapping[str, ClearValue] | None = None
) -> tuple[FiledFault, ...]:
    """What differs between the rows and the entries of their changes; empty if nothing.

    `until`: only up to that epoch, for whoever looks at a decision that was made then. `names`: by the hash
    in the entry, who made a change, as far as that is not erased.
    """
    last = filed.epoch if until is None else until
    read = (_change(entry) for entry in filed.entries if entry.kind != LOSS_ACKNOWLEDGED)
    changes = [(epoch, rows) for epoch, rows in read if until is None or epoch <= until]
    filings = Counter(which for _, rows in changes for which in rows)
    made = {which: each for _, rows in changes for which, each in rows.items()}
    found = {
        (row.kind, row.key, row.version): row for row in filed.rows if until is None or row.epoch <= last
    }
    # A version that was filed twice was gone in between: a change always takes the next one.
    missing = [which for which in sorted(made) if which not in found or filings[which] > 1]
    faults = [FiledFault(f"{_name(*which)} is missing, and was filed") for which in missing]
    for which, row in sorted(found.items()):
        faults += _held(row, made.get(which), names or {})
    return (*faults, *_epochs((epoch for epoch, _ in changes), last, whole=until is None))


def not_accepted(faults: Iterable[FiledFault], entries: Iterable[Entry]) -> tuple[FiledFault, ...]:
    """Those that no operator has accepted. What is edited once more has to be accepted once more."""
    accepted = {fault for entry in entries if entry.kind == LOSS_ACKNOWLEDGED for fault in _accepted(entry)}
    return tuple(fault for fault in faults if fault not in accepted)


def as_accepted(faults: Iterable[FiledFault]) -> list[dict[str, str | None]]:
    """As the entry has them by which an operator accepts them, in its body's `register`."""
    return [{"said": fault.said, "found": fault.found} for fault in faults]


def changed_by(entries: Iterable[Entry]) -> list[str]:
    """The salted hashes of those who made the changes."""
    return [each.by for entry in entries for each in _change(entry)[1].values()]


def _held(row: RegisterRow, made: _Made | None, names: Mapping[str, ClearValue]) -> Iterator[FiledFault]:
    name, digest = _name(row.kind, row.key, row.version), sha256(row.document.encode()).hexdigest()
    if made is None:
        yield FiledFault(f"{name} is there, and no entry says that it was filed", digest)
    elif made.digest != digest:
        yield FiledFault(f"{name} was altered: it is not what the entry of its change says", digest)
    elif made.epoch != row.epoch:
        yield FiledFault(f"{name} is said to be of epoch {row.epoch}, and was filed at {made.epoch}", digest)
    elif made.at != row.at:
        yield FiledFault(
            f"{name} is said to be filed at another time than the entry of its change says", digest
        )
    elif (who := names.get(made.by)) and clear_state(made.by, who) == "present" and who.value != row.by:
        yield FiledFault(f"{name} is said to be filed by another than the entry of its change says", digest)


def _epochs(said: Iterable[int], last: int, *, whole: bool) -> Iterator[FiledFault]:
    """Each change has begun the next epoch: none is missing, and none was begun twice."""
    counted = Counter(said)
    for epoch in range(1, last + 1):
        if counted[epoch] != 1:
            many = "no entry says" if not counted[epoch] else f"{counted[epoch]} entries say"
            yield FiledFault(f"{many} what changed the register to epoch {epoch}")
    if whole and (newest := max(counted, default=0)) > last:
        yield FiledFault(f"the register is at epoch {last}, and was at {newest}")


def _change(entry: Entry) -> tuple[int, dict[Which, _Made]]:
    """The epoch that a change began, and what it filed. Altered beyond reading, it is as if it were gone."""
    try:
        body = json.loads(entry.body)
        epoch = int(body["epoch"])
        return epoch, {
            (str(row["kind"]), str(row["key"]), int(row["version"])): _Made(
                epoch, row["sha256"], entry.said_at, str(body["by"])
            )
            for row in body["rows"]
        }
    except (KeyError, TypeError, ValueError):
        return 0, {}


def _accepted(entry: Entry) -> list[FiledFault]:
    try:
        return [FiledFault(each["said"], each["found"]) for each in json.loads(entry.body)["register"]]
    except (KeyError, TypeError, ValueError):
        return []  # it accepts a loss of another sort


def _name(kind: str, key: str, version: int) -> str:
    return f"{kind} `{key}`, version {version},"
