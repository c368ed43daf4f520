"""A signed file of permits and toggles: read, held against known keys, and made one change. Pure.

The signatures are made over everything else in it, so that nothing can be added, left out or changed.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import zip_longest
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from licensing.audit import canonical
from licensing.changes import Change, Put, check_next, set_toggle
from licensing.checkers import alike
from licensing.documents import ChangeError, parsed, read, read_permit, read_toggle, within
from licensing.instant import SECOND, Instant
from licensing.jurisdiction import Profiles
from licensing.permit import Document, Permit, StatusEvent, Toggle, Word
from licensing.signing import PrivateKey, PublicKey, decoded
from licensing.snapshot import FILE, PERMIT, SIGNED, Snapshot, document_of
from licensing.succession import in_place_of

FORMAT: Literal["wephone.permits/1"] = "wephone.permits/1"
LARGEST_FILE = 1024 * 1024  # bytes
AHEAD = 300 * SECOND  # that the signer's clock may be ahead of ours


class Signature(Document):
    """Made with the other half of the key that has this id. Base64."""

    key: Word
    signature: Word


class Envelope(Document):
    """The file as it is written; permits and toggles are read one by one."""

    format: Literal["wephone.permits/1"]
    made_at: AwareDatetime
    why: Word
    permits: tuple[Mapping[str, Any], ...] = ()
    toggles: tuple[Mapping[str, Any], ...] = ()
    signatures: tuple[Signature, ...] = Field(default=(), max_length=16)


@dataclass(frozen=True, slots=True)
class PermitFile:
    """What a file says, whoever signed it. `sha256` is of what was signed."""

    sha256: str
    made_at: datetime
    why: str
    permits: tuple[Permit, ...]
    toggles: tuple[Toggle, ...]
    signed_by: tuple[str, ...]  # ids of keys, in order


def read_permit_file(text: str | bytes, keys: Sequence[PublicKey]) -> PermitFile:
    """A file that was signed with some of these keys. ChangeError if any signature is not one of theirs."""
    document = parsed(text, LARGEST_FILE)
    envelope = read(Envelope, document)
    message = signed_bytes(document)
    known = {key.id: key for key in keys}
    for place, each in enumerate(envelope.signatures):
        with within(f"signatures[{place}]"):
            alone([other.key for other in envelope.signatures[: place + 1]], "key")
            if each.key not in known:
                raise ChangeError("key", "is none of `permit_file_keys`", each.key)
            if not known[each.key].has_signed(message, decoded(each.signature) or b""):
                raise ChangeError("signature", "is broken: the file is not what was signed", each.signature)
    if not envelope.signatures:
        raise ChangeError("signatures", "there is none")
    return contents(document, envelope)


def contents(document: Mapping[str, Any], envelope: Envelope) -> PermitFile:
    """What the file says. ChangeError names the place of what is wrong."""
    permits, toggles = [], []
    for place, permit in enumerate(envelope.permits):
        with within(f"permits[{place}]"):
            permits.append(read_permit(permit))
            alone([each.id for each in permits], "id")
    for place, toggle in enumerate(envelope.toggles):
        with within(f"toggles[{place}]"):
            toggles.append(read_toggle(toggle))
            alone([each.key for each in toggles], "key")
    return PermitFile(
        sha256(signed_bytes(document)).hexdigest(),
        envelope.made_at,
        envelope.why,
        tuple(permits),
        tuple(toggles),
        tuple(sorted(signature.key for signature in envelope.signatures)),
    )


def alone(names: Sequence[str], path: str) -> None:
    """ChangeError if the last of these was there before."""
    if names[-1] in names[:-1]:
        raise ChangeError(path, "is there twice", names[-1])


def sign(text: str | bytes, key: PrivateKey, now: datetime) -> str:
    """The file with one more signature. What is to be signed first is given its format and time."""
    document = parsed(text, LARGEST_FILE)
    if isinstance(document, dict) and not document.get("signatures"):
        document = {"format": FORMAT, "made_at": now.isoformat(timespec="seconds"), **document}
        document["signatures"] = []
    contents(document, read(Envelope, document))
    made = base64.b64encode(key.sign(signed_bytes(document))).decode()
    signature = Signature(key=key.public.id, signature=made)
    others = [each for each in document["signatures"] if each["key"] != signature.key]
    document["signatures"] = [*others, signature.model_dump()]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def signed_bytes(document: Mapping[str, Any]) -> bytes:
    """What is signed: the format's name, and all but the signatures as canonical JSON."""
    said = {name: value for name, value in document.items() if name != "signatures"}
    try:
        return f"{FORMAT}\n{canonical(said)}".encode()
    except TypeError as error:
        raise ChangeError("document", str(error)) from None


def filing(snapshot: Snapshot, file: PermitFile, profiles: Profiles | None, now: Instant) -> Change | None:
    """All of it at once, or ChangeError if any part is wrong. None if it is what was filed last.

    A permit that is there as it stands is left alone; what the file does not name stays as it is.
    """
    last = snapshot.signed_file
    if last is not None and last.sha256 == file.sha256:
        return None
    made = int(file.made_at.timestamp() * SECOND)
    if made > now.utc_ns + AHEAD:
        raise ChangeError("made_at", "is in the future", file.made_at.isoformat())
    if last is not None and file.made_at <= last.made_at:
        # Or whoever finds an old file could bring back what was in force then.
        fault = f"is not after {last.made_at.isoformat()}, when the file was made that was taken last"
        raise ChangeError("made_at", fault, file.made_at.isoformat())
    puts: list[Put] = []
    for place, permit in enumerate(file.permits):
        with within(f"permits[{place}]"):
            puts += permit_puts(snapshot, permit, file, profiles, now)
    for place, toggle in enumerate(file.toggles):
        with within(f"toggles[{place}]"):
            change = set_toggle(snapshot, toggle, profiles)
            puts += () if change is None else change.puts
    mark = {"sha256": file.sha256, "made_at": file.made_at.isoformat(), "keys": list(file.signed_by)}
    return Change("permit_event", "filed", f"file:{file.sha256}", (*puts, Put(FILE, SIGNED, mark)))


def permit_puts(
    snapshot: Snapshot, permit: Permit, file: PermitFile, profiles: Profiles | None, now: Instant
) -> tuple[Put, ...]:
    """The row of one permit; none if it is there just so."""
    if alike(permit, snapshot.permit(permit.id)):
        return ()
    before = check_next(snapshot, permit, profiles)
    events = before.status_events if before else ()
    for old, new in zip_longest(events, permit.status_events[: len(events)]):
        if new != old and not (new is not None and is_ended(old, new)):
            fault = "those of the version before have to stay, in order; a suspension may be ended"
            raise ChangeError("status_events", fault)
        if new != old and len(file.signed_by) < 2:
            fault = "a suspension is lifted by two: the file needs the signatures of two keys for that"
            raise ChangeError("status_events", fault)
    lost = in_place_of(snapshot, permit, before, now)
    if lost is not None and len(file.signed_by) < 2:
        fault = (
            f"takes the place of `{lost.id}`, which is suspended or revoked: that needs two keys' signatures"
        )
        raise ChangeError("id", fault, permit.id)
    if permit.verified and not any(
        each.checked_by and each.checked_on and (each.sha256 or each.register_address)
        for each in permit.evidence
    ):
        fault = "no evidence has checked_by, checked_on, and sha256 or register_address"
        raise ChangeError("verified", fault, True)
    return (Put(PERMIT, permit.id, document_of(permit)),)


def is_ended(old: StatusEvent, new: StatusEvent) -> bool:
    """Is it the same suspension, with an end that is earlier than it had?"""
    if new.end is None or (old.end is not None and old.end <= new.end):
        return False
    return old.status == "suspended" and new == old.model_copy(update={"end": new.end})
