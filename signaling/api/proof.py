"""What matters is done by a person who is there, on what is true now.

A page that was left open, in a session that lasts for days, may do nothing of weight: its password is said
once more, for one request. Programs with a token, and commands on the machine itself, are not asked again.
"""

from pydantic import Field

from signaling.api.account import Password, guarded
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.proofs import GOOD_FOR
from wephone.protocol.messages import Model

routes = Routes()


class SaidAgain(Model):
    """The password of whoever is signed in."""

    password: Password = Field(repr=False)


class Proven(Model):
    """The next request that asks for it goes through, within so many seconds."""

    seconds: float


@routes.add("POST", "/api/operator/proof", Rule.OPERATOR, status=200)
async def prove(visit: Visit, body: SaidAgain) -> Proven:
    """Say the password once more, for one thing that asks for it."""
    guarded(visit)
    await visit.parts.accounts.prove(visit.user, body.password)
    visit.parts.limits.signed_in(visit.user, visit.address)
    visit.parts.proofs.give(visit.known.session)
    return Proven(seconds=GOOD_FOR)


def check_proof(visit: Visit) -> None:
    """Problem if the page is behind the register, or its session's password was not said just now.

    In this order: who has to look again first does not have to say the password twice.
    """
    epoch, seen = visit.parts.licence.register.snapshot.epoch, visit.request.headers.get("If-Match")
    if seen is not None and seen != f'"{epoch}"':
        raise Problem(
            412, "changed_since", f"permits or switches have changed since: look again (epoch {epoch})"
        )
    if visit.known.by_cookie and not visit.parts.proofs.take(visit.known.session):
        raise Problem(403, "password_needed", "say your password once more: POST /api/operator/proof")
