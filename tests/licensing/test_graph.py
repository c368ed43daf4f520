"""A running call as a graph: what it would be after a change, and what becomes of it once that is decided."""

from collections.abc import Callable
from typing import Any

import pytest

from licensing.case import Case, Decision, Operator, Policy
from licensing.classify import ServiceClass, classify
from licensing.decision import decide
from licensing.dialled import NumberFault
from licensing.facts import CallFacts, Leg, LegKind, Medium, PresentedCli, Role, ServiceOffer
from licensing.graph import (
    Add,
    AttendedTransfer,
    BlindTransfer,
    Change,
    Drop,
    Forward,
    Graph,
    GraphError,
    Member,
    Merge,
    Record,
    StopRecording,
    Video,
    settle,
)
from licensing.instant import Instant
from licensing.jurisdiction import load_profiles
from licensing.numbering import NumberType
from licensing.permit import Permit
from licensing.progress import Event, Fate, Loss
from licensing.reasons import Reason

PROFILES = load_profiles()
NOW = Instant(1_764_000_000_000_000_000, 0)  # 2025-11-24
ANY = Operator("Example Operator Ltd", ("CN",), None, ("*",), ("CN",))


def leg(kind: LegKind, role: Role = Role.PARTICIPANT, type: NumberType = NumberType.GEOGRAPHIC) -> Leg:
    return Leg(role, kind, "CN", "CN-BJ", type if kind is LegKind.PSTN else None)


def app(id: str, role: Role = Role.PARTICIPANT) -> Member:
    return Member(id, leg(LegKind.APP, role))


def phone(id: str, role: Role = Role.PARTICIPANT) -> Member:
    return Member(id, leg(LegKind.PSTN, role))


HELP = Member("help", leg(LegKind.PSTN, Role.DESTINATION, NumberType.EMERGENCY))
MIXER = Member("mixer", leg(LegKind.MEDIA))


def call(*members: Member, **stated: Any) -> Graph:
    """A call whose first leg is its origin and whose second was called."""
    roles = (Role.ORIGIN, Role.DESTINATION, *[Role.PARTICIPANT] * len(members))
    legs = tuple(
        Leg(role, each.leg.kind, each.leg.country, each.leg.subdivision, each.leg.number_type)
        for role, each in zip(roles, members, strict=False)
    )
    told: dict[str, Any] = {
        "identity_verified": True,
        "registered_location": True,
        "equipment_in": (),
    } | stated
    return Graph.of(CallFacts(legs, **told), tuple(each.id for each in members))


def service(graph: Graph) -> ServiceClass:
    return classify(graph.facts())


def law(*categories: str) -> Callable[[Graph], Decision]:
    """Decides by China's profile with a permit for these categories."""
    permits: tuple[Permit, ...] = ()
    if categories:
        document = {
            "id": "held",
            "jurisdiction": "CN",
            "categories": categories,
            "holder": "Example Operator Ltd",
            "valid_from": "2020-01-01",
            "verified": True,
        }
        permits = (Permit.model_validate(document),)

    def decided(graph: Graph) -> Decision:
        return decide(Case(graph.facts(), PROFILES, permits, (), ANY, Policy(profiles=())), NOW)

    return decided


def kinds(graph: Graph) -> list[str]:
    return [each.id for each in graph.legs]


TWO_APPS = call(app("a"), app("b"))


# What the graph would be


def test_adding_a_telephone_to_an_app_call_makes_a_telephone_conference() -> None:
    assert service(TWO_APPS.after(Add(phone("p")))) is ServiceClass.CONF_PSTN


def test_a_conference_that_shrinks_to_two_phones_is_a_bridge() -> None:
    conference = call(app("a"), phone("p")).after(Add(phone("q")))
    assert service(conference.after(Drop("a"))) is ServiceClass.PSTN_BRIDGE


def test_two_phones_and_a_mixer_are_still_a_bridge() -> None:
    conference = call(app("a"), phone("p")).after(Add(phone("q"))).after(Add(MIXER))
    assert service(conference.after(Drop("a"))) is ServiceClass.PSTN_BRIDGE


def test_who_transfers_blindly_is_a_party_no_more() -> None:
    graph = call(phone("p"), app("a")).after(BlindTransfer("a", phone("q", Role.DESTINATION)))
    assert kinds(graph) == ["p", "q"]
    assert service(graph) is ServiceClass.PSTN_BRIDGE


def test_an_attended_transfer_joins_what_two_calls_leave_behind() -> None:
    first, second = call(app("a1"), phone("p")), call(app("a2"), phone("q"))
    graph = first.after(AttendedTransfer("a1", second, "a2"))
    assert kinds(graph) == ["p", "q"]
    assert service(graph) is ServiceClass.PSTN_BRIDGE


def test_two_calls_become_a_conference_in_which_the_joiner_is_one_party() -> None:
    first, second = call(app("a1"), app("b")), call(app("a2"), phone("p"))
    graph = first.after(Merge(second, leaving=("a2",)))
    assert kinds(graph) == ["a1", "b", "p"]
    assert service(graph) is ServiceClass.CONF_PSTN


def test_an_inbound_call_that_is_forwarded_out_is_a_bridge() -> None:
    graph = call(phone("p"), app("a")).after(Forward("a", phone("q", Role.DESTINATION)))
    assert service(graph) is ServiceClass.PSTN_BRIDGE


def test_a_phone_that_called_in_is_still_one_when_its_call_was_joined_to_another() -> None:
    inbound, apps = call(phone("p"), app("a2")), call(app("a1"), app("b"))
    conference = apps.after(Merge(inbound, leaving=("a2",)))
    assert service(conference.after(Drop("a1"))) is ServiceClass.PSTN_IN


def test_video_changes_the_class_of_an_app_call_and_back() -> None:
    with_video = TWO_APPS.after(Video(on=True))
    assert service(with_video) is ServiceClass.APP_VIDEO
    assert with_video.after(Video(on=False)) == TWO_APPS


def test_a_graph_is_never_changed_in_place() -> None:
    before = TWO_APPS.facts()
    TWO_APPS.after(Add(phone("p")))
    assert TWO_APPS.facts() == before


def test_facts_are_those_that_the_call_began_with() -> None:
    facts = CallFacts(
        (leg(LegKind.APP, Role.ORIGIN), leg(LegKind.PSTN, Role.DESTINATION)),
        (Medium.AUDIO, Medium.VIDEO),
        presented_cli=PresentedCli("CN", "verified"),
        identity_verified=True,
        service_offer=ServiceOffer("closed_group"),
        equipment_in=("HK",),
    )
    assert Graph.of(facts, ("a", "p")).facts() == facts


def test_the_number_that_is_decided_on_is_the_one_shown_to_the_newest_leg() -> None:
    shown = PresentedCli("CN", "none")
    graph = TWO_APPS.after(Add(Member("p", leg(LegKind.PSTN), shown)))
    assert graph.facts().presented_cli == shown
    assert graph.after(Drop("p")).facts().presented_cli is None


def test_a_leg_whose_number_cannot_be_placed_says_why() -> None:
    fault = next(iter(NumberFault))
    unplaced = Member("p", Leg(Role.PARTICIPANT, LegKind.PSTN), fault=fault)
    graph = TWO_APPS.after(Add(unplaced))
    assert graph.facts().number_fault is fault
    assert law("CN:B22", "CN:A15-1")(graph).reason is Reason.DENY_FACTS_INSUFFICIENT


def test_joined_calls_state_of_each_fact_what_permits_less() -> None:
    one = call(app("a"), app("b"), service_offer=ServiceOffer("own_organisation"), registered_location=None)
    other = call(app("c"), app("d"), identity_verified=None, equipment_in=None)
    facts = one.after(Merge(other)).facts()
    assert (facts.identity_verified, facts.registered_location) == (None, None)
    assert facts.equipment_in is None
    assert facts.service_offer.audience == "public"


@pytest.mark.parametrize(
    "change",
    [
        Add(app("a")),
        Drop("nobody"),
        Drop("gone"),
        Add(app("gone")),
        BlindTransfer("nobody", app("c")),
        BlindTransfer("a", app("c", Role.ORIGIN)),
        Forward("a", app("c")),
        Forward("b", app("c", Role.ORIGIN)),
        Record(frozenset({"nobody"})),
        Merge(TWO_APPS),
        Merge(call(app("c"), app("d")), leaving=("e",)),
        AttendedTransfer("a", call(app("c"), app("d")), "nobody"),
    ],
    ids=repr,
)
def test_a_change_that_makes_no_sense_is_nobody_s_question(change: Change) -> None:
    graph = TWO_APPS.after(Add(app("gone"))).after(Drop("gone"))
    with pytest.raises(GraphError):
        graph.after(change)


def test_every_leg_of_the_facts_needs_its_own_id() -> None:
    with pytest.raises(GraphError):
        Graph.of(TWO_APPS.facts(), ("a", "a"))


# What becomes of the call


def settled(graph: Graph, change: Change, decided: Callable[[Graph], Decision]) -> tuple[Graph, bool, Fate]:
    outcome = settle(graph, change, decided(graph.after(change)))
    assert outcome.progress is not None
    return outcome.graph, outcome.made, outcome.progress.this_call


@pytest.mark.parametrize(
    "change",
    [
        Add(phone("p")),
        BlindTransfer("a", phone("p", Role.DESTINATION)),
        Forward("b", phone("p", Role.DESTINATION)),
        Merge(call(app("c"), phone("p"))),
        AttendedTransfer("a", call(app("c"), phone("p")), "c"),
    ],
    ids=lambda change: type(change).__name__,
)
def test_a_refused_change_leaves_the_lawful_call_as_it_was(change: Change) -> None:
    graph, made, fate = settled(TWO_APPS, change, law("CN:B25"))
    assert (graph, made, fate) == (TWO_APPS, False, Fate.REJECT_CHANGE_KEEP_CALL)


def test_an_allowed_change_is_made() -> None:
    change = Add(app("c"))
    graph, made, fate = settled(TWO_APPS, change, law("CN:B22"))
    assert (graph, made, fate) == (TWO_APPS.after(change), True, Fate.CONTINUE)


def test_two_phones_left_alone_end_as_a_suspended_call_does() -> None:
    conference = call(app("a"), phone("p")).after(Add(phone("q")))
    refused = law("CN:B22")(conference.after(Drop("a")))
    outcome = settle(
        conference,
        Drop("a"),
        refused,
        {Event.PERMIT_SUSPENDED: Loss(Fate.TERMINATE_AFTER_NOTICE, 7)},
    )
    assert outcome.progress is not None
    assert outcome.made
    assert (outcome.progress.this_call, outcome.progress.seconds) == (Fate.TERMINATE_AFTER_NOTICE, 7)
    assert outcome.progress.audit == ("re_evaluated", "call_terminated")
    assert kinds(outcome.graph) == ["p", "q"]


def test_nobody_is_asked_about_a_call_with_one_party_left() -> None:
    outcome = settle(TWO_APPS.after(Add(MIXER)), Drop("b"), None)
    assert outcome.graph.over
    assert outcome.progress is None


def test_somebody_who_talks_to_a_mailbox_is_not_alone() -> None:
    assert not call(app("a"), MIXER, media=(Medium.VOICEMAIL,)).over


US = (Leg(Role.ORIGIN, LegKind.APP, "US", "US-CA"), Leg(Role.DESTINATION, LegKind.APP, "US", "US-CA"))


def in_california() -> Graph:
    """Where all have to consent to a recording, and no permit is needed to talk."""
    return Graph.of(
        CallFacts(US, identity_verified=True, registered_location=True, equipment_in=()), ("a", "b")
    )


def american(graph: Graph) -> Decision:
    operator = Operator("Example Operator Ltd", ("US",), None, ("*",), ("US",))
    return decide(Case(graph.facts(), PROFILES, (), (), operator, Policy(profiles=())), NOW)


def test_a_recording_waits_for_every_party_s_consent() -> None:
    graph, made, fate = settled(in_california(), Record(frozenset({"a"})), american)
    assert (graph, made, fate) == (in_california(), False, Fate.STOP_RECORDING_KEEP_CALL)
    graph, made, fate = settled(in_california(), Record(frozenset({"a", "b"})), american)
    assert (graph.recorded, made, fate) == (True, True, Fate.CONTINUE)


def test_one_who_withdraws_stops_the_recording_and_not_the_talk() -> None:
    recorded = in_california().after(Record(frozenset({"a", "b"})))
    graph, made, _ = settled(recorded, Record(frozenset({"b"})), american)
    assert (graph, made) == (in_california(), False)


def test_who_joins_a_recorded_call_has_not_consented() -> None:
    recorded = in_california().after(Record(frozenset({"a", "b"})))
    third = Member("c", Leg(Role.PARTICIPANT, LegKind.APP, "US", "US-CA"))
    graph, made, fate = settled(recorded, Add(third), american)
    assert (kinds(graph), graph.recorded, made) == (["a", "b", "c"], False, True)
    assert fate is Fate.STOP_RECORDING_KEEP_CALL


def test_a_recording_can_always_be_stopped() -> None:
    recorded = in_california().after(Record(frozenset({"a", "b"})))
    graph, made, fate = settled(recorded, StopRecording(), american)
    assert (graph, made, fate) == (in_california(), True, Fate.CONTINUE)


# Calls for help


def for_help() -> Graph:
    return Graph.of(CallFacts((leg(LegKind.APP, Role.ORIGIN), HELP.leg), equipment_in=()), ("a", "help"))


def test_help_can_be_called_into_a_running_call_on_no_permit() -> None:
    graph, made, fate = settled(TWO_APPS, Add(HELP), law())
    assert (kinds(graph), made, fate) == (["a", "b", "help"], True, Fate.CONTINUE)


def test_nobody_brings_a_telephone_into_a_call_by_calling_for_help_first() -> None:
    graph, made, fate = settled(for_help(), Add(phone("p")), law())
    assert (graph, made, fate) == (for_help(), False, Fate.REJECT_CHANGE_KEEP_CALL)


def test_a_call_for_help_is_kept_whoever_else_is_in_it() -> None:
    others = TWO_APPS.after(Add(HELP)).after(Add(app("c")))
    graph, _, fate = settled(others, Drop("c"), law())
    assert (kinds(graph), fate) == (["a", "b", "help"], Fate.CONTINUE)
    graph, _, fate = settled(others, Drop("b"), law())
    assert (kinds(graph), fate) == (["a", "help", "c"], Fate.CONTINUE)


def test_what_remains_when_help_has_left_is_a_call_like_any_other() -> None:
    joined = for_help().after(Add(phone("p")))
    _, _, fate = settled(joined, Drop("help"), law())
    assert fate is Fate.TERMINATE_AFTER_NOTICE
