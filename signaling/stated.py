"""What is known about holders, held against the entries by which it was said. Pure.

A statement is sealed in its entry; as long as its clear value is there it can be compared. What was said and
is erased meanwhile is believed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from signaling.core.holder import Basis, HolderFacts, OwnedNumber, Said, facts_from_text
from signaling.holders import word_of
from signaling.ports.holders import StatedEntry, StatedFacts


def stated_faults(facts: StatedFacts) -> list[str]:
    """What is known that no entry says so, and what an entry says that is not known; empty if all agrees."""
    name = f"what is known about `{facts.account}`"
    try:
        known = facts_from_text(facts.document)
        said = {each.entry: _read(each) for each in facts.entries}
    except (KeyError, TypeError, ValueError):
        return [f"{name}, or an entry about it, cannot be read"]
    last: dict[tuple[Basis, str], _Statement] = {}
    for statement in said.values():
        if statement is not None:
            last |= {(statement.basis, word): statement for word in statement.names}
    faults = [
        f"{name} ({basis} {word}) is not what its entry says"
        for basis, word in sorted({*last, *_words(known)})
        if not _agrees(known, basis, word, last.get((basis, word)))
    ]
    numbers = [owned for owned in known.numbers if not _is_said(owned, said.get(owned.said.entry))]
    return [*faults, *(f"{name} (number) is not what its entry says" for _ in numbers)]


@dataclass(frozen=True, slots=True)
class _Statement:
    """An entry as far as it can be read: `what` is None once its clear value is gone."""

    entry: str
    at: int
    basis: Basis
    names: Sequence[str]
    what: Mapping[str, Any] | None


def _read(each: StatedEntry) -> _Statement | None:
    if each.body is None or each.at is None:
        return None
    body = json.loads(each.body)
    what = None if each.said is None else json.loads(each.said)
    return _Statement(each.entry, each.at, Basis(body["basis"]), body["names"], what)


def _words(known: HolderFacts) -> Iterable[tuple[Basis, str]]:
    for basis, words in ((Basis.DECLARED, known.declared), (Basis.VERIFIED, known.verified)):
        for word in ("residence", "emergency_address", "identity"):
            if getattr(words, word) is not None:
                yield basis, word


def _agrees(known: HolderFacts, basis: Basis, word: str, statement: _Statement | None) -> bool:
    """Is this part what the last statement about it says?"""
    part = getattr(known.verified if basis is Basis.VERIFIED else known.declared, word)
    if statement is None:
        return False
    if statement.what is None:
        return part is None or part.said.entry == statement.entry
    fields = statement.what["words"][word]
    if part is None or fields is None:
        return part is None and fields is None
    return bool(part == word_of(word, fields, _said(statement, part.said)))


def _is_said(owned: OwnedNumber, statement: _Statement | None) -> bool:
    if statement is None or statement.what is None:
        return statement is not None
    return owned.number in statement.what["add_numbers"] and owned.said == _said(statement, owned.said)


def _said(statement: _Statement, found: Said) -> Said:
    """As the entry has it; who said it is sealed beside it by itself."""
    what = statement.what or {}
    return replace(
        found,
        at=statement.at,
        entry=statement.entry,
        note=what.get("note"),
        evidence=what.get("evidence"),
    )
