"""May this be done? Words become facts for the gate, and its verdicts become what the wire says."""

from dataclasses import dataclass

from licensing.case import Decision
from licensing.facts import CallFacts, Leg, Medium, Role, ServiceOffer, app_leg, phone_leg
from licensing.gate import Ask, Begun, Gate, Verdict
from licensing.numbering import Number, Place, Unplaced, UserName, classify_callee, mask
from licensing.reasons import Text, alternative_text, fault_text
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Media, Refusal, RefusalText
from wephone.protocol.reasons import ErrorCode

Telephone = Number | Unplaced
"""Something that was dialled: a number, or what might be one and cannot be placed."""


PUBLIC = ServiceOffer()


@dataclass(frozen=True, slots=True)
class Offer:
    """What the operator states about the service as a whole; each is a fact of every decision."""

    homes: tuple[str, ...] = ()  # ISO 3166-1 alpha-2, where the operator is at home
    to: ServiceOffer = PUBLIC
    equipment_in: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Permitted:
    """Yes; `decision` is its id in the operator's journal."""

    decision: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No, in the words of the wire; `decision` is its id in the operator's journal."""

    decision: str
    refusal: Refusal


Answer = Permitted | Refused


class Permission:
    """What the switch and the REST routes ask before they do anything that a permit might be needed for."""

    def __init__(self, gate: Gate, offer: Offer) -> None:
        self._gate = gate
        self._offer = offer
        self._place = Place(homes=offer.homes)

    def callee(self, text: str) -> UserId | Telephone:
        """Whom an address means. PeerError if it is neither a name nor anything that might be a number."""
        callee = classify_callee(text, self._place)
        if isinstance(callee, UserName):
            return UserId.parse(callee.name)
        if isinstance(callee, Unplaced) and not any(character.isdigit() for character in text):
            raise PeerError(ErrorCode.BAD_ADDRESS, fault_text(callee.fault).en, "to")
        return callee

    async def may_call(
        self,
        call: str,
        caller: UserId,
        callee: UserId,
        media: tuple[Media, ...],
        begun: Begun | None = None,
    ) -> Answer:
        """May these two users talk? Decided and written down; `begun`: see Gate.authorize."""
        facts = self._facts(app_leg(Role.DESTINATION), tuple(Medium(kind) for kind in media))
        ask = Ask(call, facts, {"caller": caller, "callee": callee})
        return answer(await self._gate.authorize(ask, begun))

    async def may_dial(self, call: str, caller: UserId, to: Telephone, media: tuple[Media, ...]) -> Answer:
        """May this user call that number? A grant comes with a yes, for the one leg it names."""
        ask = self._telephone_ask(call, caller, to, tuple(Medium(kind) for kind in media))
        return answer(await self._gate.authorize(ask))

    async def may_text(self, text: str, sender: UserId, to: UserId | Telephone) -> Answer:
        """May this user write to that user or number? Decided once for two users who write on and on."""
        if isinstance(to, UserId):
            facts = self._facts(app_leg(Role.DESTINATION), (Medium.TEXT,))
            ask = Ask(text, facts, {"sender": sender, "recipient": to})
            return answer(await self._gate.authorize_again(ask))
        ask = self._telephone_ask(text, sender, to, (Medium.SMS,))
        return answer(await self._gate.authorize(ask))

    def check(self, to: UserId | Telephone, media: tuple[Media, ...]) -> Decision:
        """What would be decided about a call now. Nothing is written down, and nothing granted."""
        kinds = tuple(Medium(kind) for kind in media)
        if isinstance(to, UserId):
            return self._gate.check(self._facts(app_leg(Role.DESTINATION), kinds))
        return self._gate.check(self._facts(phone_leg(Role.DESTINATION, to), kinds, to))

    def _telephone_ask(self, subject: str, caller: UserId, to: Telephone, media: tuple[Medium, ...]) -> Ask:
        facts = self._facts(phone_leg(Role.DESTINATION, to), media, to)
        people = {"caller": str(caller), "callee": address(to)}
        return Ask(subject, facts, people, leg="callee", destination=to if isinstance(to, Number) else None)

    def _facts(self, far: Leg, media: tuple[Medium, ...], to: Telephone | None = None) -> CallFacts:
        return CallFacts(
            legs=(app_leg(Role.ORIGIN), far),
            media=media,
            service_offer=self._offer.to,
            equipment_in=self._offer.equipment_in,
            number_fault=to.fault if isinstance(to, Unplaced) else None,
        )


def answer(verdict: Verdict) -> Answer:
    """The verdict as the wire knows it."""
    if verdict.allowed:
        return Permitted(verdict.id)
    return Refused(verdict.id, refusal(verdict.decision, verdict.id))


def refusal(decision: Decision, id: str | None) -> Refusal:
    """Why not: for a person, with the id under which the operator can explain it."""
    instead = decision.alternative
    return Refusal(
        code=decision.reason,
        text=in_words(decision.text),
        decision=id,
        permit_needed=decision.permit_needed,
        alternative=None if instead is None else in_words(alternative_text(instead)),
    )


def in_words(text: Text) -> RefusalText:
    """A sentence of `licensing`, as the wire has it."""
    return RefusalText(en=text.en, zh_cn=text.zh_cn)


def address(to: Telephone) -> str:
    """The canonical address, or what stands for one that has none."""
    return to.address if isinstance(to, Number) else f"unplaced ({to.fault})"


def masked(to: Telephone) -> str:
    """The number as records and logs may show it: `+86138****8000`."""
    return mask(to.address) if isinstance(to, Number) else f"unplaced ({to.fault})"
