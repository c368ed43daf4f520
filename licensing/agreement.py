"""What takes two people: a proposal, and who counts as another person than the one who made it. Pure.

Whoever opens an account or gives it a password can act in its name. So accounts that one operator opened or
reset over the network are that operator's here, however many there are. On the machine itself whoever may
read the data folder may name any account anyway: what was done there makes nobody somebody's.
"""

from licensing.documents import ChangeError
from licensing.instant import SECOND, Instant
from licensing.snapshot import Proposal, Snapshot, account_name

PROPOSAL_LIFE = 24 * 3600 * SECOND  # for a second operator to agree in


def is_agreed(snapshot: Snapshot, key: str, by: str, about: int, now: Instant) -> bool:
    """Has another operator asked for the same, and is it still what they looked at?

    ChangeError if `by` is nobody else.
    """
    proposal = snapshot.proposal(key)
    if proposal is None or proposal.about != about or is_lapsed(proposal, now):
        return False
    first, second = account_name(proposal.by), account_name(by)
    if first == second:
        raise ChangeError("", "you asked for this already: another operator has to agree")
    if (given := snapshot.given_to(second)) is not None and given.at >= proposal.at:
        fault = f"the account `{by}` was opened, or given its password, after this was asked for"
        raise ChangeError("", f"{fault}: another operator has to agree")
    if not behind(snapshot, first).isdisjoint(behind(snapshot, second)):
        fault = f"the accounts `{proposal.by}` and `{by}` may be one person's: one of them opened the other"
        raise ChangeError("", f"{fault} or gave it its password, or a third one both; another has to agree")
    return True


def is_lapsed(proposal: Proposal, now: Instant) -> bool:
    """Is it too late to agree?"""
    return now.utc_us >= proposal.at + PROPOSAL_LIFE // 1_000


def behind(snapshot: Snapshot, name: str) -> set[str]:
    """Who may be acting when this account does: itself, who gave it its password, who gave them theirs."""
    found: set[str] = set()
    while name not in found:
        found.add(name)
        given = snapshot.given_to(name)
        if given is None or given.on_machine:
            break
        name = account_name(given.by)
    return found
