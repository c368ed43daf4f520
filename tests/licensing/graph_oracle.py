"""The oracle's half about changes of a running call: what the graph would be, and what becomes of the call.

Naive and from the documents alone, like `tests/licensing/oracle.py`, which says how they are cited. A call is
a dict: its legs in the order in which they joined, each with an id; media; whether it is recorded and who has
agreed; and every other fact as `stated`. A change is a tuple: its name and what it names.
"""

from collections.abc import Callable
from typing import Any

from tests.licensing.oracle_facts import service_class

Dict = dict[str, Any]
Change = tuple[Any, ...]

# 0019, the table: what cannot be refused has happened.
CANNOT_BE_REFUSED = ("drop", "video off", "stop")
PARTIES = ("app", "pstn", "private")


def would_be(call: Dict, change: Change) -> Dict:
    """The call after the change, were it made: 0019, the table."""
    match change:
        case ("add", leg):
            return joined(call, leg)
        case ("drop", who):
            return left(call, who)
        case ("blind", who, leg) | ("forward", who, leg):
            return joined(left(call, who), leg)
        case ("attended", who, other, who_there):
            return united(left(call, who), left(other, who_there))
        case ("merge", other, leaving):
            return united(left(call, *leaving), left(other, *leaving))
        case ("video on",):
            return {**call, "media": [*call["media"], "video"]}
        case ("video off",):
            return {**call, "media": [medium for medium in call["media"] if medium != "video"]}
        case ("record", agreed):
            return {**call, "recorded": True, "agreed": set(agreed)}
        case ("stop",):
            return {**call, "recorded": False}
    raise ValueError(change)


def joined(call: Dict, leg: Dict) -> Dict:
    """0019: a new leg joins last."""
    return {**call, "legs": [*call["legs"], leg]}


def left(call: Dict, *who: str) -> Dict:
    return {**call, "legs": [leg for leg in call["legs"] if leg["id"] not in who]}


def united(one: Dict, other: Dict) -> Dict:
    """0019: another call's legs after one's own; media of both; what is stated is what is true of both, and
    the wider audience. Recorded if either was: nobody's voice is recorded unasked because two calls became
    one."""
    audiences = [call["stated"]["audience"] for call in (one, other)]
    wide = ("public", "closed_group", "own_organisation")
    return {
        "legs": [*one["legs"], *other["legs"]],
        "media": [*one["media"], *(medium for medium in other["media"] if medium not in one["media"])],
        "recorded": one["recorded"] or other["recorded"],
        "agreed": one["agreed"] | other["agreed"],
        "stated": {
            "audience": min(audiences, key=wide.index),
            "identity_verified": both(one, other, "identity_verified"),
            "registered_location": both(one, other, "registered_location"),
        },
    }


def both(one: Dict, other: Dict, fact: str) -> bool | None:
    """0019: true if in both, false if it is not in one of them, else not known."""
    told = (one["stated"][fact], other["stated"][fact])
    return False if False in told else None if None in told else True


def parties(call: Dict) -> list[Dict]:
    return [leg for leg in call["legs"] if leg["kind"] in PARTIES]


def is_over(call: Dict) -> bool:
    """0019: with fewer than two parties, but for one party and a mailbox."""
    count = len(parties(call))
    return count == 0 or (count == 1 and "voicemail" not in call["media"])


def reaches_help(call: Dict) -> bool:
    """0019: the call is never cut while that leg lives."""
    return any(leg.get("number_type") == "emergency" for leg in call["legs"] if leg["role"] != "origin")


def facts_of(call: Dict) -> Dict:
    """What is decided about a graph. 0019: who joins after the emergency number makes it any telephone; the
    number shown is that of the newest leg that shows one."""
    newest = parties(call)[-1]
    legs = []
    for leg in call["legs"]:
        plain = {name: leg.get(name) for name in ("role", "kind", "country", "subdivision", "number_type")}
        if leg.get("number_type") == "emergency" and leg is not newest and leg["role"] != "origin":
            plain["number_type"] = "geographic"
        legs.append(plain)
    shown = [leg["shows"] for leg in call["legs"] if leg.get("shows")]
    agreed = all(leg["id"] in call["agreed"] for leg in parties(call))
    stated = call["stated"]
    return {
        "legs": legs,
        "media": call["media"],
        "presented_cli": shown[-1] if shown else None,
        "recording": {"requested": True, "all_parties_consented": agreed} if call["recorded"] else None,
        "service_offer": {"audience": stated["audience"]},
        "identity_verified": stated["identity_verified"],
        "registered_location": stated["registered_location"],
    }


def after(call: Dict, change: Change, decide: Callable[[Dict], Dict]) -> Dict:
    """What the change comes to: model, "Calls in progress"; 0010; 0019. `call` is the call as it goes on,
    `fate` what it does next (none: it is over by itself), `asked` the facts that were decided, `service`
    their class."""
    new = would_be(call, change)
    if is_over(new):
        return {"made": True, "call": new, "fate": None}
    facts = facts_of(new)
    answer = decide(facts)
    told = {"made": True, "call": new, "fate": "continue", "seconds": None, "asked": facts, "reason": None}
    told |= {"service": service_class(facts), "audit": ["re_evaluated"]}
    denied = answer["decision"] == "deny"
    unrecorded = {**call, "recorded": False} if denied else {**new, "recorded": False}
    if change[0] == "record" and denied:
        refused = {"call": unrecorded, "made": False, "reason": answer["reason"]}
        return {
            **told,
            **refused,
            "fate": "stop_recording_keep_call",
            "audit": ["re_evaluated", "recording_refused"],
        }
    if not denied and "RECORDING_BLOCKED_UNTIL_ALL_CONSENT" in answer["per_call"]:
        made = change[0] != "record"
        refused = {"call": unrecorded, "made": made}
        return {
            **told,
            **refused,
            "fate": "stop_recording_keep_call",
            "audit": ["re_evaluated", "recording_refused"],
        }
    if not denied:
        return told
    if change[0] not in CANNOT_BE_REFUSED:
        refused = {"call": call, "made": False, "reason": answer["reason"]}
        return {
            **told,
            **refused,
            "fate": "reject_change_keep_call",
            "audit": ["re_evaluated", "change_rejected"],
        }
    if reaches_help(new):
        return {**told, "audit": ["re_evaluated", "emergency_call_kept"], "reason": answer["reason"]}
    ends = {"fate": "terminate_after_notice", "seconds": 60, "reason": answer["reason"]}
    return {**told, **ends, "audit": ["re_evaluated", "call_terminated"]}
