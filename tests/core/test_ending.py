"""Why media failed reaches the application of the device that found out."""

import pytest

from tests.core.people import ID, call_in, told
from wephone.core import events, inputs
from wephone.errors import ending
from wephone.protocol import messages
from wephone.protocol.messages import Role
from wephone.protocol.reasons import EndReason

WHY = "the far end's certificate is not the one that it announced"


@pytest.mark.parametrize("event", [inputs.MediaFailed(WHY), inputs.DescriptionFailed(WHY)])
def test_a_call_that_was_never_placed_ends_with_what_the_media_said(event: object) -> None:
    _, effects = call_in(Role.CALLER, "preparing").receive(event, 0)
    assert told(effects) == [events.Ended(ID, EndReason.MEDIA_FAILED, Role.CALLER, fault=WHY)]


def test_the_servers_word_for_failed_media_is_told_with_what_we_know_of_it() -> None:
    call, effects = call_in(Role.CALLEE, "active").receive(inputs.MediaFailed(WHY), 0)
    assert told(effects) == []
    word = messages.Ended(call=ID, reason=EndReason.MEDIA_FAILED, by=Role.CALLEE)
    _, effects = call.receive(word, 0)
    (ended,) = told(effects)
    assert ended == events.Ended(ID, EndReason.MEDIA_FAILED, Role.CALLEE, fault=WHY)
    assert isinstance(ended, events.Ended)
    assert ending(ended) == f"no sound could be exchanged: {WHY}"


def test_without_the_servers_word_it_is_told_all_the_same() -> None:
    call, _ = call_in(Role.CALLEE, "active").receive(inputs.MediaFailed(WHY), 0)
    _, effects = call.receive(inputs.TimedOut("ending"), 0)
    assert told(effects) == [events.Ended(ID, EndReason.MEDIA_FAILED, Role.CALLEE, fault=WHY)]


def test_a_call_that_the_server_calls_declined_because_our_media_failed_says_so_here() -> None:
    call, _ = call_in(Role.CALLEE, "accepted").receive(inputs.MediaFailed(WHY), 0)
    word = messages.Ended(call=ID, reason=EndReason.DECLINED, by=Role.CALLEE)
    _, effects = call.receive(word, 0)
    assert told(effects) == [events.Ended(ID, EndReason.DECLINED, Role.CALLEE, fault=WHY)]


def test_an_end_that_somebody_else_brought_about_first_has_no_fault() -> None:
    call, _ = call_in(Role.CALLEE, "active").receive(inputs.MediaFailed(WHY), 0)
    _, effects = call.receive(messages.Ended(call=ID, reason=EndReason.HANGUP, by=Role.CALLER), 0)
    assert told(effects) == [events.Ended(ID, EndReason.HANGUP, Role.CALLER)]
