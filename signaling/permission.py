"""May this be done? Words become facts for the gate, and its verdicts become what the wire says."""

from dataclasses import dataclass, replace

from licensing.case import Decision
from licensing.facts import CallFacts, Medium
from licensing.gate import Ask, Begun, Gate, Review, Standing, Verdict
from licensing.grant import Grant
from licensing.identity import DecisionId
from licensing.numbering import Number, Place, Unplaced, UserName, canonicalise, classify_callee, mask
from licensing.reasons import Obligation, Text, alternative_text, fault_text, is_per_call
from signaling.core.holder import Person
from signaling.facts import (
    Offer,
    Telephone,
    caller_id,
    facts_between,
    facts_from_number,
    facts_of_two_telephones,
    facts_to_number,
    place_of,
)
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import WITHHELD, UserId
from wephone.protocol.messages import Media, Refusal, RefusalText
from wephone.protocol.reasons import ErrorCode


@dataclass(frozen=True, slots=True)
class Permitted:
    """Yes; `decision` is its id in the operator's journal, `standing` what a later change is held against.

    `grant` is for the one telephone leg that was asked for, `duties` are what is to be done for this call.
    """

    decision: str
    standing: Standing | None = None
    grant: Grant | None = None
    duties: frozenset[Obligation] = frozenset()


@dataclass(frozen=True, slots=True)
class Way:
    """By which trunk a number is called: the leg's name, and the number that is shown if not the caller's."""

    trunk: str
    leg: str = "callee"
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """No, in the words of the wire; `decision` is its id in the operator's journal."""

    decision: str
    refusal: Refusal


Answer = Permitted | Refused


class Permission:
    """What the switch and the REST routes ask before they do anything that a permit might be needed for."""

    def __init__(self, gate: Gate, offer: Offer) -> None:
        self.gate = gate
        self._offer = offer
        self._anywhere = Place(homes=offer.homes)

    def callee(self, text: str) -> UserId | Telephone:
        """Whom an address means. PeerError if it is neither a name nor anything that might be a number."""
        callee = classify_callee(text, self._anywhere)
        if isinstance(callee, UserName):
            return UserId.parse(callee.name)
        if isinstance(callee, Unplaced) and not any(character.isdigit() for character in text):
            raise PeerError(ErrorCode.BAD_ADDRESS, fault_text(callee.fault).en, "to")
        return callee

    def dialled(self, text: str, caller: Person) -> Telephone:
        """The number that this person means, whose `callee` is no user."""
        anywhere = canonicalise(text, self._anywhere)
        if self._anywhere.homes and isinstance(anywhere, Number) and anywhere.emergency:
            return anywhere  # where somebody lives is not where he is: who asks for help here gets no other
        return canonicalise(text, place_of(self._offer, caller))

    async def may_call(
        self,
        call: str,
        caller: Person,
        callee: Person,
        media: tuple[Media, ...],
        begun: Begun | None = None,
    ) -> Answer:
        """May these two users talk? Decided and written down; `begun`: see Gate.authorize."""
        ask = self.call_to_be(call, caller, callee, media)
        return answer(await self.gate.authorize(ask, begun), ask.facts)

    async def may_change(self, call: str, standing: Standing, media: tuple[Media, ...]) -> Answer:
        """May this running call carry that from now on?"""
        facts = _with(standing.facts, media)
        return answer(await self.gate.authorize(Ask(call, facts)), facts)

    def carrying(self, standing: Standing, media: tuple[Media, ...]) -> Standing:
        """The same call with other media, which may have to be decided on."""
        return replace(standing, facts=_with(standing.facts, media))

    def is_carrying(self, standing: Standing, media: tuple[Media, ...]) -> bool:
        """Was it these media that the call was told of?"""
        return set(_with(standing.facts, media).media) == set(standing.facts.media)

    def review(self, call: str, standing: Standing) -> Review | None:
        """Is this running call still allowed? None if nothing has changed for it: see Gate.review."""
        return self.gate.review(call, standing)

    def check_running(self, standing: Standing) -> Decision:
        """What would be decided about the same call now. Nothing is written down."""
        return self.gate.check(standing.facts)

    def in_doubt(self) -> bool:
        """Has a review to be made again, because nothing can be said now?"""
        return self.gate.in_doubt()

    def standing(
        self, caller: Person, callee: Person, media: tuple[Media, ...], decision: str | None
    ) -> Standing:
        """Of a call that an earlier server allowed by this decision."""
        facts = facts_between(self._offer, caller, callee, mediums(media))
        return Standing(facts, None if decision is None else DecisionId(decision), None)

    async def may_dial(
        self,
        call: str,
        caller: Person,
        to: Telephone,
        media: tuple[Media, ...],
        way: Way | None = None,
        payer: Person | None = None,
    ) -> Answer:
        """May this user call that number? A grant comes with a yes, for the one leg it names.

        `payer`: whose number is shown, if it is somebody else's wish that the call goes there.
        """
        ask = self._telephone_ask(call, caller, to, mediums(media), way, payer)
        return answer(await self.gate.authorize(ask))

    async def may_ring(
        self, call: str, caller: Telephone | None, callee: Person, media: tuple[Media, ...], trunk: str
    ) -> Answer:
        """May a telephone, by this number or by none that it says, reach this user? The grant is for it."""
        people = {"callee": callee.user} | ({} if caller is None else {"caller": address(caller)})
        facts = facts_from_number(self._offer, caller, callee, mediums(media))
        return answer(await self.gate.authorize(Ask(call, facts, people, leg="caller", trunk=trunk)))

    async def may_bridge(
        self, call: str, caller: Telephone | None, to: Telephone, media: tuple[Media, ...], payer: Person
    ) -> Answer:
        """May a telephone that called `payer` go on to a number of theirs? No grant: nothing carries that."""
        people = {"callee": address(to), "forwarded_by": payer.user}
        people |= {} if caller is None else {"caller": address(caller)}
        facts = facts_of_two_telephones(self._offer, caller, to, mediums(media), payer)
        return answer(await self.gate.authorize(Ask(call, facts, people)))

    async def may_hand_over(
        self, subject: str, telephone: Telephone | None, to: Person | Telephone, payer: Person
    ) -> Answer:
        """May a telephone talk with somebody else in the place of `payer`? No grant: nothing carries that."""
        audio = (Media.AUDIO,)
        if not isinstance(to, Person):
            return await self.may_bridge(subject, telephone, to, audio, payer)
        people = {"callee": to.user} | ({} if telephone is None else {"caller": address(telephone)})
        facts = facts_from_number(self._offer, telephone, to, mediums(audio))
        return answer(await self.gate.authorize(Ask(subject, facts, people)))

    def why_not(self, grant: Grant, decision: str) -> Refusal:
        """What a call that loses its permit is told: what would be decided about its leg now."""
        return refusal(self.gate.check(grant.facts), decision)

    def call_to_be(self, call: str, caller: Person, to: Person | Telephone, media: tuple[Media, ...]) -> Ask:
        """What it would be if this user called that user or number."""
        if not isinstance(to, Person):
            return self._telephone_ask(call, caller, to, mediums(media))
        facts = facts_between(self._offer, caller, to, mediums(media))
        return Ask(call, facts, {"caller": caller.user, "callee": to.user})

    async def may_text(self, text: str, sender: Person, to: Person | Telephone) -> Answer:
        """May this user write to that user or number? Decided once for two users who write on and on."""
        if isinstance(to, Person):
            facts = facts_between(self._offer, sender, to, (Medium.TEXT,))
            ask = Ask(text, facts, {"sender": sender.user, "recipient": to.user})
            return answer(await self.gate.authorize_again(ask))
        return answer(await self.gate.authorize(self._telephone_ask(text, sender, to, (Medium.SMS,))))

    def check(
        self, caller: Person, to: Person | Telephone, media: tuple[Media, ...], payer: Person | None = None
    ) -> Decision:
        """What would be decided about a call now. Nothing is written down, and nothing granted."""
        if isinstance(to, Person):
            return self.gate.check(facts_between(self._offer, caller, to, mediums(media)))
        return self.gate.check(facts_to_number(self._offer, caller, to, mediums(media), payer or caller))

    def _telephone_ask(
        self,
        subject: str,
        caller: Person,
        to: Telephone,
        media: tuple[Medium, ...],
        way: Way | None = None,
        payer: Person | None = None,
    ) -> Ask:
        people = {"caller": caller.user, "callee": address(to)}
        return Ask(
            subject,
            facts_to_number(self._offer, caller, to, media, payer or caller),
            people if payer is None or payer == caller else people | {"forwarded_by": payer.user},
            leg="callee" if way is None else way.leg,
            destination=to if isinstance(to, Number) else None,
            caller_id=caller_id(payer or caller) or (None if way is None else way.shown),
            trunk=None if way is None else way.trunk,
        )


def _with(facts: CallFacts, media: tuple[Media, ...]) -> CallFacts:
    return replace(facts, media=mediums(media))


def mediums(media: tuple[Media, ...]) -> tuple[Medium, ...]:
    """What the wire calls media, as the law does."""
    return tuple(Medium(kind) for kind in media)


def answer(verdict: Verdict, facts: CallFacts | None = None) -> Answer:
    """The verdict as the wire knows it; with the `facts` of a call, also as its standing."""
    if verdict.allowed:
        by = verdict.decision
        standing = None if facts is None else Standing(facts, verdict.id, by, verdict.ground, by.permits)
        return Permitted(verdict.id, standing, verdict.grant, duties(verdict.decision))
    return Refused(verdict.id, refusal(verdict.decision, verdict.id))


def duties(decision: Decision) -> frozenset[Obligation]:
    """What has to be done for this very call."""
    return frozenset(code for code in decision.obligations if is_per_call(code))


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


def masked_name(user: UserId) -> str:
    """A telephone's name in a call as records may show it; one that is withheld shows nothing anyway."""
    return user if user == WITHHELD else mask(user)
