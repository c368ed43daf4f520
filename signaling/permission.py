"""May this be done? Words become facts for the gate, and its verdicts become what the wire says."""

from dataclasses import dataclass, replace

from licensing.case import Decision
from licensing.facts import CallFacts, Leg, Medium, Role, ServiceOffer, app_leg, phone_leg
from licensing.gate import Ask, Begun, Gate, Review, Standing, Verdict
from licensing.identity import DecisionId
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
    """Yes; `decision` is its id in the operator's journal, `standing` what a later change is held against."""

    decision: str
    standing: Standing | None = None


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
        return answer(await self._gate.authorize(ask, begun), facts)

    async def may_change(self, call: str, standing: Standing, media: tuple[Media, ...]) -> Answer:
        """May this running call carry that from now on?"""
        facts = _with(standing.facts, media)
        return answer(await self._gate.authorize(Ask(call, facts)), facts)

    def carrying(self, standing: Standing, media: tuple[Media, ...]) -> Standing:
        """The same call with other media, which may have to be decided on."""
        return replace(standing, facts=_with(standing.facts, media))

    def is_carrying(self, standing: Standing, media: tuple[Media, ...]) -> bool:
        """Was it these media that the call was told of?"""
        return set(_with(standing.facts, media).media) == set(standing.facts.media)

    def review(self, call: str, standing: Standing) -> Review | None:
        """Is this running call still allowed? None if nothing has changed for it: see Gate.review."""
        return self._gate.review(call, standing)

    def check_running(self, standing: Standing) -> Decision:
        """What would be decided about the same call now. Nothing is written down."""
        return self._gate.check(standing.facts)

    def in_doubt(self) -> bool:
        """Has a review to be made again, because nothing can be said now?"""
        return self._gate.in_doubt()

    def standing(self, media: tuple[Media, ...], decision: str | None) -> Standing:
        """Of a call that an earlier server allowed by this decision."""
        facts = self._facts(app_leg(Role.DESTINATION), tuple(Medium(kind) for kind in media))
        return Standing(facts, None if decision is None else DecisionId(decision), None)

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


def _with(facts: CallFacts, media: tuple[Media, ...]) -> CallFacts:
    return replace(facts, media=tuple(Medium(kind) for kind in media))


def answer(verdict: Verdict, facts: CallFacts | None = None) -> Answer:
    """The verdict as the wire knows it; with the `facts` of a call, also as its standing."""
    if verdict.allowed:
        return Permitted(verdict.id, None if facts is None else Standing(facts, verdict.id, verdict.decision))
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
