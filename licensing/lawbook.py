"""The profiles that judged, as they were: the chain keeps each file once, to decide again by it years later.

A profile that extends another needs that one's file too: its own entry says which.
"""

import json
from collections.abc import Iterable, Mapping

from licensing.audit import Draft, Entry, Head, Verified, canonical, verify
from licensing.changes import Change, Put
from licensing.instant import Instant
from licensing.jurisdiction import ProfileError, Profiles, gather
from licensing.ports import Journal
from licensing.snapshot import Snapshot

PROFILE = "profile"  # the kind of such an entry; its subject is the code and version
LAW = "law"  # the kind of the register's rows that say by which of its own files a node decides


async def unkept(journal: Journal, profiles: Profiles, codes: Iterable[str], now: Instant) -> list[Draft]:
    """Entries for those of these profiles, and of what they extend, that the chain does not hold yet."""
    bases = (profiles.by_code[code].extends for code in codes)
    wanted = dict.fromkeys((*(base for base in bases if base is not None), *codes))
    return [
        _draft(profiles, code, now) for code in wanted if not await _entries(journal, profiles.named(code))
    ]


def _draft(profiles: Profiles, code: str, now: Instant) -> Draft:
    extends = profiles.by_code[code].extends
    body = {
        "code": code,
        "extends": None if extends is None else profiles.named(extends),
        "text": profiles.texts[code],
    }
    return Draft(PROFILE, profiles.named(code), now.utc_us, canonical(body))


def noted(taken: Snapshot, node: str, own: Mapping[str, str], *, anew: bool = False) -> Change | None:
    """That this node decides by its operator's own files in these versions; None if the register says so,
    unless it has to be said anew.

    A change of the register: its epoch moves on, so that whatever was decided by other law is decided again.
    """
    row = taken.rows.get((LAW, node))
    before = {} if row is None else json.loads(row.document)
    if before == own and not anew:
        return None
    return Change("permit_event", "profiles", f"{LAW}:{node}", (Put(LAW, node, dict(own)),))


async def profiles_then(journal: Journal, named: Iterable[str], here: Profiles) -> Profiles:
    """The profiles of these names ("CN@2026-01-01+..."), from the chain; else those that are loaded `here`.

    One that is neither there nor here is not among them, nor is one whose entry was altered.
    """
    texts: dict[str, str] = {}
    for name in named:
        texts |= await _texts(journal, name, here)
    try:
        return gather((f"{code}.json", text.encode()) for code, text in texts.items())
    except ProfileError:  # the law was written in a form that is not read any more, or is not whole
        return gather(())


async def _texts(journal: Journal, name: str, here: Profiles) -> dict[str, str]:
    """The file of a profile and the one it extends, by code."""
    entries = await _entries(journal, name)
    if not entries:
        code = name.partition("@")[0]
        if here.versions.get(code) is None or here.named(code) != name:
            return {}
        base = here.by_code[code].extends
        return {each: here.texts[each] for each in (base, code) if each is not None}
    body = json.loads(entries[0].body)
    base_texts = {} if body["extends"] is None else await _texts(journal, body["extends"], here)
    return {**base_texts, body["code"]: body["text"]}


async def _entries(journal: Journal, name: str) -> list[Entry]:
    """What the chain holds of a profile: entries that are as they were written."""
    return [e for e in await journal.about(name) if e.kind == PROFILE and _is_whole(e)]


def _is_whole(entry: Entry) -> bool:
    before = Head(entry.node, entry.seq - 1, entry.at, entry.prev)
    return isinstance(verify([entry], after=before), Verified)
