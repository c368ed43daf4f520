"""The graph of a running call: its live legs, and what it would be after a change. Pure.

A change is decided as the graph would be afterwards, and only then made:

    after = graph.after(Add(Member("third", leg)))
    decision = law.decide(after.facts(), register, now)      # or the gate, which also writes it down
    settled = settle(graph, change, decision)                # settled.graph is the call as it goes on

The class of a call is a function of its live legs alone. A leg keeps its id, role and kind for life, and an
id that has left does not come back. Recorders, mixers and announcements are legs, but no parties.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from licensing.case import Decision
from licensing.dialled import NumberFault
from licensing.facts import CallFacts, Leg, LegKind, Medium, PresentedCli, Recording, Role, ServiceOffer, sure
from licensing.numbering import NumberType
from licensing.progress import ON_LOSS, Event, Fate, Loss, Progress, Running, progress

_WIDEST_FIRST = ("public", "closed_group", "own_organisation")


class GraphError(Exception):
    """The change makes no sense on this graph: nobody is asked about it, and nothing changes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A leg under the id that the call has for it, with what came with it when it joined."""

    id: str
    leg: Leg
    presented: PresentedCli | None = None  # the caller's number, as it is shown where this leg joined
    fault: NumberFault | None = None  # why its number could not be placed; such a leg is never allowed

    @property
    def is_party(self) -> bool:
        return self.leg.kind is not LegKind.MEDIA

    @property
    def is_for_help(self) -> bool:
        called = self.is_party and self.leg.role is not Role.ORIGIN
        return called and self.leg.number_type is NumberType.EMERGENCY


# What may be done to a running call


@dataclass(frozen=True, slots=True)
class Add:
    """One more leg. One that dials in by itself has the role of an origin."""

    new: Member


@dataclass(frozen=True, slots=True)
class Drop:
    """A leg leaves. Nobody is kept in a call: this is never refused, but what remains is decided."""

    id: str


@dataclass(frozen=True, slots=True)
class BlindTransfer:
    """`by` leaves and a new leg is called for the others."""

    by: str
    to: Member


@dataclass(frozen=True, slots=True)
class AttendedTransfer:
    """Who is `by` in this call and `by_there` in another leaves both, and joins those who remain."""

    by: str
    other: "Graph"
    by_there: str


@dataclass(frozen=True, slots=True)
class Forward:
    """A leg that was called has another called instead, whoever asks for it: user, far end or carrier."""

    instead_of: str
    to: Member


@dataclass(frozen=True, slots=True)
class Merge:
    """A conference of two calls. `leaving`: legs of either that end, such as the joiner's second one."""

    other: "Graph"
    leaving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Video:
    """Video is turned on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Recording is asked for, or asked for again because consents changed. `consents`: ids of legs."""

    consents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Nothing is recorded any more."""


Change = Add | Drop | BlindTransfer | AttendedTransfer | Forward | Merge | Video | Record | StopRecording


def event_of(change: Change) -> Event:
    """As what `progress` judges the change: what can be refused, what only narrows, what records."""
    match change:
        case Add() | BlindTransfer() | AttendedTransfer() | Forward() | Merge() | Video(on=True):
            return Event.ADD_LEG
        case Drop() | Video() | StopRecording():
            return Event.REMOVE_LEG
        case Record():
            return Event.RECORDING_REQUESTED
        case _:
            assert_never(change)


@dataclass(frozen=True, slots=True)
class Graph:
    """One call: its live legs in the order in which they joined, and what else is stated about it.

    `stated` holds every other fact; legs, recording and the number shown are not read there.
    """

    legs: tuple[Member, ...]
    stated: CallFacts
    recorded: bool = False
    consents: frozenset[str] = frozenset()  # of live legs, to being recorded
    gone: frozenset[str] = frozenset()  # ids that have left

    @classmethod
    def of(cls, facts: CallFacts, ids: tuple[str, ...]) -> "Graph":
        """The call as it began: one id for each leg of the facts, in their order."""
        if len(ids) != len(facts.legs) or len(set(ids)) != len(ids):
            raise GraphError(f"{len(facts.legs)} legs need as many different ids (found {ids!r:.80})")
        legs = [Member(id, leg) for id, leg in zip(ids, facts.legs, strict=True)]
        if legs:
            legs[0] = replace(legs[0], presented=facts.presented_cli)
        recording = facts.recording or Recording()
        agreed = frozenset(ids) if recording.all_parties_consented else frozenset()
        return cls(tuple(legs), facts, recording.requested, agreed)

    def after(self, change: Change) -> "Graph":
        """The graph as it would be. GraphError if the change names who is not there, or who already was."""
        match change:
            case Add(new):
                return self._with(new)
            case Drop(id):
                return self._without(id)
            case BlindTransfer(by, to):
                self._party(by)
                return self._without(by)._with(_called(to))
            case Forward(instead_of, to):
                if self._party(instead_of).leg.role is Role.ORIGIN:
                    raise GraphError(f"`{instead_of}` is who called, and is not forwarded")
                return self._without(instead_of)._with(_called(to))
            case AttendedTransfer(by, other, by_there):
                self._party(by)
                other._party(by_there)
                return self._joined(other)._without(by)._without(by_there)
            case Merge(other, leaving):
                joined = self._joined(other)
                for id in leaving:
                    joined = joined._without(id)
                return joined
            case Video(on):
                kept = tuple(medium for medium in self.stated.media if medium is not Medium.VIDEO)
                media = (*kept, Medium.VIDEO) if on else kept or (Medium.AUDIO,)
                return replace(self, stated=replace(self.stated, media=media))
            case Record(consents):
                for id in consents:
                    self._party(id)
                return replace(self, recorded=True, consents=consents)
            case StopRecording():
                return self.unrecorded()
            case _:
                assert_never(change)

    def facts(self) -> CallFacts:
        """What is decided about this graph.

        A call for help lends its leave to nobody who joins after it: such a graph is decided as though its
        emergency number were any telephone.
        """
        lapsed = self.emergency and not self.parties[-1].is_for_help
        legs = tuple(_any_telephone(each) if lapsed else each.leg for each in self.legs)
        shown = [each.presented for each in self.legs if each.presented is not None]
        faults = [each.fault for each in self.legs if each.fault is not None]
        return replace(
            self.stated,
            legs=legs,
            presented_cli=shown[-1] if shown else None,
            recording=Recording(True, self.all_consented) if self.recorded else None,
            number_fault=faults[0] if faults else None,
        )

    @property
    def all_consented(self) -> bool:
        """Has every live party agreed to be recorded?"""
        return all(each.id in self.consents for each in self.parties)

    @property
    def emergency(self) -> bool:
        """Does a leg of it reach help? Such a call is never cut, whoever else is in it."""
        return any(each.is_for_help for each in self.legs)

    @property
    def parties(self) -> tuple[Member, ...]:
        return tuple(each for each in self.legs if each.is_party)

    @property
    def over(self) -> bool:
        """Is nobody left to talk to? One party alone still speaks to a mailbox."""
        return len(self.parties) < (1 if Medium.VOICEMAIL in self.stated.media else 2)

    def unrecorded(self) -> "Graph":
        """The same call, of which nothing is recorded."""
        return replace(self, recorded=False, consents=frozenset())

    # How it becomes another

    def _party(self, id: str) -> Member:
        for each in self.parties:
            if each.id == id:
                return each
        raise GraphError(f"`{id}` is no party of this call")

    def _with(self, new: Member) -> "Graph":
        if new.id in self.gone or any(each.id == new.id for each in self.legs):
            raise GraphError(f"`{new.id}` is or was another leg of this call")
        return replace(self, legs=(*self.legs, new))

    def _without(self, id: str) -> "Graph":
        legs = tuple(each for each in self.legs if each.id != id)
        if len(legs) == len(self.legs):
            raise GraphError(f"`{id}` is no leg of this call")
        return replace(self, legs=legs, consents=self.consents - {id}, gone=self.gone | {id})

    def _joined(self, other: "Graph") -> "Graph":
        """Both calls in one, this one's legs first."""
        known = self.gone | {each.id for each in self.legs}
        for id in (*(each.id for each in other.legs), *other.gone):
            if id in known:
                raise GraphError(f"`{id}` is or was a leg of both calls")
        return Graph(
            (*self.legs, *other.legs),
            _both(self.stated, other.stated),
            self.recorded or other.recorded,
            self.consents | other.consents,
            self.gone | other.gone,
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """A change after its decision: the call as it goes on, and what `progress` says of it.

    No progress: the call is over by itself, for nobody is left to talk to.
    """

    graph: Graph
    made: bool  # a change that was refused leaves the call as it was
    progress: Progress | None


def settle(
    before: Graph, change: Change, decision: Decision | None, on_loss: Mapping[Event, Loss] = ON_LOSS
) -> Settled:
    """What becomes of the call. `decision` is about `before.after(change).facts()`; none if that is over.

    What is added is made if it is allowed, else the call goes on without it, and so does the other call that
    was to be joined. What leaves has left: a graph that is not lawful then ends as a suspended call does. A
    recording that is not allowed, or not any more, stops; the call goes on.
    """
    after = before.after(change)
    if after.over:
        return Settled(after, True, None)
    event = event_of(change)
    answer = progress(Running(after.emergency, on_loss), event, decision)
    match answer.this_call:
        case Fate.REJECT_CHANGE_KEEP_CALL:
            return Settled(before, False, answer)
        case Fate.STOP_RECORDING_KEEP_CALL:
            return Settled(after.unrecorded(), event is not Event.RECORDING_REQUESTED, answer)
        case Fate.CONTINUE | Fate.TERMINATE_AFTER_NOTICE | Fate.LET_FINISH:
            return Settled(after, True, answer)
        case _:
            assert_never(answer.this_call)


def _called(new: Member) -> Member:
    if new.leg.role is Role.ORIGIN:
        raise GraphError(f"`{new.id}` is called, and cannot have the role of an origin")
    return new


def _any_telephone(each: Member) -> Leg:
    return replace(each.leg, number_type=NumberType.GEOGRAPHIC) if each.is_for_help else each.leg


def _both(one: CallFacts, other: CallFacts) -> CallFacts:
    """What is stated about two calls that become one: of each fact the word that permits less."""
    return replace(
        one,
        media=tuple(dict.fromkeys((*one.media, *other.media))),
        purpose=one.purpose or other.purpose,
        identity_verified=sure(one.identity_verified, other.identity_verified),
        registered_location=sure(one.registered_location, other.registered_location),
        service_offer=_wider(one.service_offer, other.service_offer),
        equipment_in=_united(one.equipment_in, other.equipment_in),
    )


def _united(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Unknown places and known ones together are unknown."""
    return None if one is None or other is None else tuple(dict.fromkeys((*one, *other)))


def _wider(one: ServiceOffer, other: ServiceOffer) -> ServiceOffer:
    return min(one, other, key=lambda offer: _WIDEST_FIRST.index(offer.audience))
