"""The safety code: both ends show the same, and whoever sits between them is noticed."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.people import ANSWERED, ID, INCOMING, OURS, SELECTED, THEIRS, sent, told
from wephone.core import effects as out
from wephone.core import events, inputs
from wephone.core.call import Call, Phase, place, ring
from wephone.core.safety import commitment, fingerprints, safety_code
from wephone.protocol import messages
from wephone.protocol.messages import Media
from wephone.protocol.reasons import EndReason

FIRST = "v=0\r\na=fingerprint:sha-256 AA:BB\r\nm=audio\r\na=fingerprint:sha-256 AA:BB\r\n"
SECOND = "v=0\na=fingerprint:SHA-256 cc:dd\n"
NONCES = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_fingerprints_are_each_once_sorted_and_in_one_spelling() -> None:
    assert fingerprints(FIRST + SECOND) == ("sha-256 AA:BB", "sha-256 CC:DD")
    assert fingerprints("v=0") == ()


def test_the_code_is_made_as_the_page_says() -> None:
    digest = hashlib.sha256(b"wephone safety code 1")
    for part in (b"sha-256 AA:BB", b"sha-256 CC:DD", b"\x11" * 32, b"\x22" * 32):
        digest.update(len(part).to_bytes(4, "big") + part)
    expected = f"{int(digest.hexdigest()[:16], 16) % 10**8:08}"
    assert safety_code(FIRST, SECOND, "11" * 32, "22" * 32) == f"{expected[:4]} {expected[4:]}"


@given(NONCES, NONCES)
def test_it_hangs_on_each_of_its_parts(caller: str, callee: str) -> None:
    code = safety_code(FIRST, SECOND, caller, callee)
    others = {
        safety_code(SECOND, FIRST, caller, callee),
        safety_code(FIRST, FIRST, caller, callee),
        safety_code(FIRST, SECOND, commitment(caller), callee),
        safety_code(FIRST, SECOND, caller, commitment(callee)),
    }
    assert code.replace(" ", "").isdecimal()
    assert len(code) == 9
    assert others - {code}


@given(NONCES, NONCES)
def test_both_ends_show_the_same_code(ours: str, theirs: str) -> None:
    caller, _ = place(ID, "bob", (Media.AUDIO,), ours)
    caller, effects = caller.receive(inputs.OfferCreated(FIRST), 0)
    [invite] = sent(effects)
    assert isinstance(invite, messages.Invite)
    incoming = INCOMING.model_copy(update={"sdp": invite.sdp, "commitment": invite.commitment})
    callee, _ = ring(incoming, 0)
    callee, _ = callee.receive(inputs.Accept(theirs), 0)
    callee, effects = callee.receive(inputs.AnswerCreated(SECOND), 0)
    [answer] = sent(effects)
    assert isinstance(answer, messages.Answer)
    callee, _ = callee.receive(SELECTED, 0)
    said = ANSWERED.model_copy(update={"sdp": answer.sdp, "nonce": answer.nonce})
    caller, effects = caller.receive(said, 0)
    [reveal] = sent(effects)
    assert isinstance(reveal, messages.SendReveal)
    callee, heard = callee.receive(messages.Reveal(call=ID, nonce=reveal.nonce), 0)
    [shown] = [event for event in told(effects) if isinstance(event, events.SafetyCode)]
    assert told(heard) == [shown]


def talking() -> Call:
    """A call that was taken here."""
    call, _ = ring(INCOMING, 0)
    for event in (inputs.Accept(OURS), inputs.AnswerCreated(SECOND), SELECTED):
        call, _ = call.receive(event, 0)
    return call


@pytest.mark.parametrize("before", [None, THEIRS])
def test_a_forged_nonce_hangs_up_and_says_so(before: str | None) -> None:
    call = talking()
    if before is not None:
        call, _ = call.receive(messages.Reveal(call=ID, nonce=before), 0)
    call, effects = call.receive(messages.Reveal(call=ID, nonce="f" * 64), 0)
    assert call.phase is Phase.ENDING
    assert sent(effects) == [messages.Hangup(call=ID, reason=EndReason.MEDIA_FAILED)]
    assert out.StopMedia(ID) in effects
    [ended] = told(effects)
    assert isinstance(ended, events.Ended)
    assert ended.forged


def test_the_true_nonce_is_taken_once() -> None:
    call, effects = talking().receive(messages.Reveal(call=ID, nonce=THEIRS), 0)
    assert [type(event) for event in told(effects)] == [events.SafetyCode]
    assert call.receive(messages.Reveal(call=ID, nonce=THEIRS), 0) == (call, ())
