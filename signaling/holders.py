"""What can be said about the holders of accounts: by themselves, and by operators who have verified it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from licensing.audit import SALT, Draft, canonical, seal
from licensing.identity import RANDOM, uuid7
from licensing.record import Random
from licensing.register import KEEP_OPERATORS
from signaling.accounts import AccountError, AccountFault
from signaling.core.holder import (
    MOST_NUMBERS,
    Address,
    Basis,
    Change,
    HolderFacts,
    Identity,
    IdentityStatus,
    OwnedNumber,
    Residence,
    Said,
    changed,
)
from signaling.ports.clock import Clock
from signaling.ports.holders import FactsChange, HolderRows
from signaling.ports.store import IdTakenError, StoreError
from wephone.protocol.ids import UserId

MOST_ATTEMPTS = 8  # somebody else may change the same facts at the same moment
ENTRY = "account_facts"  # the kind of the journal's entries


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said: a name of `Words` with its fields, or none to take back what was said before."""

    words: Mapping[str, Mapping[str, Any] | None]
    add_numbers: tuple[str, ...] = ()
    remove_numbers: tuple[str, ...] = ()
    note: str | None = None
    evidence: str | None = None  # SHA-256 of what was looked at


class Holders:
    """Each statement is an entry of the journal; what it says is sealed there, and in clear beside it."""

    def __init__(self, store: HolderRows, clock: Clock, keep: int, random: Random = os.urandom) -> None:
        """`keep`: microseconds that what was said stays in clear beside the journal."""
        self._store, self._clock, self._keep, self._random = store, clock, keep, random

    async def known(self, user: UserId) -> HolderFacts:
        """What is known now; AccountError if there is no such account."""
        facts, _ = await self._read(user)
        return facts

    async def declare(self, user: UserId, statement: Statement) -> HolderFacts:
        """The holder says it: it counts as long as nobody has verified something else."""
        return await self._state(user, user, Basis.DECLARED, statement)

    async def verify(self, by: UserId, user: UserId, statement: Statement) -> HolderFacts:
        """An operator says it, after having looked. AccountError if a number is another account's."""
        return await self._state(by, user, Basis.VERIFIED, statement)

    async def _read(self, user: UserId) -> tuple[HolderFacts, int]:
        found = await self._store.facts(user)
        if found is None:
            raise AccountError(AccountFault.NO_SUCH_ACCOUNT, f"`{user}`", "name")
        return found

    async def _state(self, by: UserId, user: UserId, basis: Basis, statement: Statement) -> HolderFacts:
        now = self._clock.now()
        entry = str(uuid7(now, self._random(RANDOM)))
        said = Said(by, now.utc_us, entry, statement.note, statement.evidence)
        change = change_of(statement, said)
        for _ in range(MOST_ATTEMPTS):
            facts, version = await self._read(user)
            after = changed(facts, basis, change)
            if len(after.numbers) > MOST_NUMBERS:
                detail = f"at most {MOST_NUMBERS}, not {len(after.numbers)}"
                raise AccountError(AccountFault.TOO_MANY_NUMBERS, detail, "add_numbers")
            had = {owned.number for owned in facts.numbers}
            draft, value_hash = self._draft(user, basis, statement, said)
            row = FactsChange(
                user,
                version,
                after,
                tuple(number for number in statement.add_numbers if number not in had),
                tuple(number for number in statement.remove_numbers if number in had),
                entry,
                value_hash,
            )
            try:
                if await self._store.change_facts(row, draft):
                    return after
            except IdTakenError as error:
                raise AccountError(AccountFault.NUMBER_TAKEN, str(error), "add_numbers") from None
        raise StoreError(f"what is known about `{user}` changed again and again")

    def _draft(self, user: UserId, basis: Basis, statement: Statement, said: Said) -> tuple[Draft, str]:
        what = {
            "words": {
                name: fields if fields is None else dict(fields) for name, fields in statement.words.items()
            },
            "add_numbers": list(statement.add_numbers),
            "remove_numbers": list(statement.remove_numbers),
            "note": statement.note,
            "evidence": statement.evidence,
        }
        until = said.at + self._keep
        facts = seal(canonical(what), self._random(SALT), until)
        holder = seal(user, self._random(SALT), until)
        who = holder if said.by == user else seal(said.by, self._random(SALT), said.at + KEEP_OPERATORS)
        body = {
            "basis": basis.value,
            "by": who.hash,
            "names": sorted(statement.words),
            "people": {"account": holder.hash, "facts": facts.hash},
        }
        clear = (facts, holder) if who is holder else (facts, holder, who)
        return Draft(ENTRY, said.entry, said.at, canonical(body), clear), facts.hash


def change_of(statement: Statement, said: Said) -> Change:
    """The statement with who says it at each part."""
    return Change(
        {name: word_of(name, fields, said) for name, fields in statement.words.items()},
        tuple(OwnedNumber(number, said) for number in statement.add_numbers),
        statement.remove_numbers,
    )


def word_of(name: str, fields: Mapping[str, Any] | None, said: Said) -> Residence | Address | Identity | None:
    """One part of `Words`; KeyError for a name that is none of them."""
    if fields is None:
        return None
    match name:
        case "residence":
            return Residence(fields["country"], said, fields["subdivision"])
        case "emergency_address":
            return Address(fields["country"], fields["text"], said)
        case "identity":
            return Identity(IdentityStatus(fields["status"]), said)
        case _:
            raise KeyError(name)
