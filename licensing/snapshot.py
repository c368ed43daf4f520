"""The register as of one epoch: what every decision between two changes is made on. Pure and immutable."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from licensing.audit import salted_hash
from licensing.instant import Instant
from licensing.permit import Permit, Toggle
from licensing.ports import RegisterRow, RegisterRows

PERMIT, TOGGLE, SWITCH, PROPOSAL, FILE = "permit", "toggle", "switch", "proposal", "file"
ACCOUNT = "account"  # rows about operators' accounts; their keys say nothing
TELEPHONE = "telephone"  # the key of the one switch there is
SIGNED = "permits"  # the key of the one file there is

Key = tuple[str, str]  # kind and key of a row
D = TypeVar("D", Permit, Toggle)


class RegisterUnreadableError(Exception):
    """A row of the register makes no sense: nothing may be decided on the rest of it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One operator asks for what needs two. It lapses when the thing that it is about changes."""

    key: str  # what is asked for, e.g. "reinstate:cn-a15"
    by: str
    why: str
    at: int  # UTC microseconds
    about: int  # the version, of the permit or switch, that was looked at


@dataclass(frozen=True, slots=True)
class Given:
    """An operator's account was opened, or got another password: by whom, and from where."""

    account: str  # salted hash of its name
    salt: bytes
    by: str
    on_machine: bool  # by somebody who may read the data folder
    at: int  # UTC microseconds


class Ground(NamedTuple):
    """On what an answer rests besides its facts: an epoch, and until when that holds by its dates."""

    epoch: int
    until_ns: int  # UTC

    def holds(self, epoch: int, now: Instant) -> bool:
        return epoch == self.epoch and now.utc_ns < self.until_ns


@dataclass(frozen=True, slots=True)
class SignedFile:
    """The signed file that was taken last: of which content, made when, signed by whom, taken when."""

    sha256: str
    made_at: datetime
    keys: tuple[str, ...]
    at: int  # UTC microseconds


@dataclass(frozen=True)
class Snapshot:
    """Permits and toggles in the register at one epoch, whatever they are worth at an instant."""

    epoch: int
    rows: Mapping[Key, RegisterRow] = field(repr=False)

    @cached_property
    def permits(self) -> tuple[Permit, ...]:
        """In the order of their ids."""
        return tuple(_permit(row) for row in self._present(PERMIT))

    @cached_property
    def toggles(self) -> tuple[Toggle, ...]:
        return tuple(_parsed(Toggle, row) for row in self._present(TOGGLE))

    @cached_property
    def proposals(self) -> tuple[Proposal, ...]:
        """What waits for a second operator."""
        return tuple(_proposal(row) for row in self._present(PROPOSAL))

    @cached_property
    def given(self) -> tuple[Given, ...]:
        """Who knows the passwords of operators' accounts besides their owners, the latest first."""
        rows = sorted(self._present(ACCOUNT), key=lambda row: row.epoch, reverse=True)
        return tuple(map(_given, rows))

    @cached_property
    def telephone_off(self) -> bool:
        """Is the panic switch thrown?"""
        row = self.rows.get((SWITCH, TELEPHONE))
        return row is not None and _document(row) != {"on": True}

    @cached_property
    def signed_file(self) -> SignedFile | None:
        """The signed file that was taken last, if there ever was one."""
        row = self.rows.get((FILE, SIGNED))
        return None if row is None else _signed_file(row)

    @cached_property
    def newest_at(self) -> int:
        """The time of the latest change, in UTC microseconds."""
        return max((row.at for row in self.rows.values()), default=0)

    def permit(self, id: str) -> Permit | None:
        row = self.rows.get((PERMIT, id))
        return None if row is None or row.document == "null" else _permit(row)

    def proposal(self, key: str) -> Proposal | None:
        row = self.rows.get((PROPOSAL, key))
        return None if row is None or row.document == "null" else _proposal(row)

    def given_to(self, name: str) -> Given | None:
        """Who gave this account its password last, if it was not its owner."""
        name = account_name(name)
        return next((each for each in self.given if salted_hash(name, each.salt) == each.account), None)

    def version(self, kind: str, key: str) -> int:
        """Its newest version; 0 if there never was one."""
        row = self.rows.get((kind, key))
        return 0 if row is None else row.version

    def followed_by(self, rows: Iterable[RegisterRow]) -> "Snapshot":
        """The next epoch's, after a change that added these rows."""
        return Snapshot(self.epoch + 1, {**self.rows, **{(row.kind, row.key): row for row in rows}})

    def _present(self, kind: str) -> list[RegisterRow]:
        found = [row for row in self.rows.values() if row.kind == kind and row.document != "null"]
        return sorted(found, key=lambda row: row.key)


def snapshot(rows: RegisterRows) -> Snapshot:
    """The snapshot of what a store loaded. RegisterUnreadableError if any of it cannot be read."""
    taken = Snapshot(rows.epoch, {(row.kind, row.key): row for row in rows.rows})
    taken.permits, taken.toggles, taken.proposals, taken.telephone_off, taken.signed_file, taken.given  # noqa: B018  # read now, not in a call
    return taken


def as_of(versions: Iterable[RegisterRow], epoch: int) -> Snapshot:
    """The register as it was at that epoch, from every version of everything."""
    newest: dict[Key, RegisterRow] = {}
    for row in versions:
        before = newest.get((row.kind, row.key))
        if row.epoch <= epoch and (before is None or before.version < row.version):
            newest[row.kind, row.key] = row
    return snapshot(RegisterRows(epoch, tuple(newest.values())))


def document_of(permit: Permit) -> dict[str, Any]:
    """The permit as the register keeps it: every field, also those that the file left out."""
    return permit.model_dump(mode="json", by_alias=True)


def _permit(row: RegisterRow) -> Permit:
    permit = _parsed(Permit, row)
    if (permit.id, permit.version) != (row.key, row.version):
        raise RegisterUnreadableError(f"permit `{row.key}`: its document is another's, or of another version")
    return permit


def _proposal(row: RegisterRow) -> Proposal:
    document = _document(row)
    try:
        return Proposal(row.key, row.by, str(document["why"]), row.at, int(document["about"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RegisterUnreadableError(f"proposal `{row.key}` cannot be read: {error!r}") from None


def _given(row: RegisterRow) -> Given:
    document = _document(row)
    try:
        salt = bytes.fromhex(document["salt"])
        return Given(str(document["account"]), salt, row.by, document["on_machine"] is True, row.at)
    except (KeyError, TypeError, ValueError) as error:
        raise RegisterUnreadableError(f"account `{row.key}` cannot be read: {error!r}") from None


def account_name(name: str) -> str:
    """Accounts' names as they are compared."""
    return name.strip().casefold()


def _signed_file(row: RegisterRow) -> SignedFile:
    document = _document(row)
    try:
        made_at = datetime.fromisoformat(document["made_at"])
        return SignedFile(str(document["sha256"]), made_at, tuple(map(str, document["keys"])), row.at)
    except (KeyError, TypeError, ValueError) as error:
        raise RegisterUnreadableError(f"the signed file's row cannot be read: {error!r}") from None


def _parsed(model: type[D], row: RegisterRow) -> D:
    try:
        return model.model_validate_json(row.document)
    except ValidationError as error:
        raise RegisterUnreadableError(
            f"{row.kind} `{row.key}` cannot be read: {error.errors(include_url=False)[0]['msg']}"
        ) from None


def _document(row: RegisterRow) -> Any:
    try:
        return json.loads(row.document)
    except ValueError as error:
        raise RegisterUnreadableError(f"{row.kind} `{row.key}` cannot be read: {error}") from None
