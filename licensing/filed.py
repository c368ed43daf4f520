"""Is the register what the chain says that was filed? An entry of a change has the hashes of its rows. Pure.

Without this a permit could be edited in the database, with every entry of the chain left whole.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

from licensing.audit import Entry
from licensing.ports import RegisterRow
from licensing.snapshot import FILE

Documents = dict[tuple[str, str, int], str]  # kind, key and version -> SHA-256 of the document


def changes_of(rows: Iterable[RegisterRow]) -> tuple[str, ...]:
    """What the entries are about by which these rows came."""
    return tuple(dict.fromkeys(subject for row in rows for subject in _subjects(row)))


def filed_faults(rows: Sequence[RegisterRow], entries: Iterable[Entry], until: int) -> tuple[str, ...]:
    """What differs between the rows and the entries of their changes, a sentence each; empty if nothing.

    Changes after the epoch `until` may have come after the rows were read: nothing of those is missed.
    """
    filed = [_made(entry) for entry in entries]
    made = {which: digest for _, documents in filed for which, digest in documents.items()}
    due = {which for epoch, documents in filed if epoch <= until for which in documents}
    found = {(row.kind, row.key, row.version): row for row in rows}
    faults = [f"{_name(*which)} is missing, and was filed" for which in sorted(due - found.keys())]
    for which, row in sorted(found.items()):
        if which not in made:
            faults.append(f"{_name(*which)} is there, and no entry says that it was filed")
        elif made[which] != sha256(row.document.encode()).hexdigest():
            faults.append(f"{_name(*which)} was altered: it is not what the entry of its change says")
    return tuple(faults)


def _subjects(row: RegisterRow) -> tuple[str, ...]:
    """Its own key; what was proposed (`reinstate:ID`); the signed file by its hash."""
    if row.kind != FILE:
        return row.key, row.key.partition(":")[2] or row.key
    try:
        return row.key, f"file:{json.loads(row.document)['sha256']}"
    except (KeyError, TypeError, ValueError):  # altered beyond reading: no entry will be found
        return (row.key,)


def _made(entry: Entry) -> tuple[int, Documents]:
    """The epoch that a change began, and what it filed."""
    try:
        body = json.loads(entry.body)
        rows = body.get("rows", ())
        return body.get("epoch", 0), {
            (row["kind"], row["key"], row["version"]): row["sha256"] for row in rows
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0, {}  # altered: the chain's own verification names it


def _name(kind: str, key: str, version: int) -> str:
    return f"{kind} `{key}`, version {version},"
