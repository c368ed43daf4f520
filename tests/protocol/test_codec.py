"""The wire: good frames become messages and back, bad ones become one typed error that names the fault."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from wephone.protocol import messages
from wephone.protocol.codec import PeerError, decode_client, decode_server, encode, json_schema
from wephone.protocol.ids import CallId, DeviceId, MessageId, PhoneNumber, SessionId, UserId
from wephone.protocol.reasons import END_TEXTS, ERROR_TEXTS, EndReason, ErrorCode, end_text, error_text

CALL = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def refusal_of(frame: str | bytes) -> PeerError:
    """The error that a frame causes."""
    with pytest.raises(PeerError) as caught:
        decode_client(frame)
    return caught.value


@pytest.mark.parametrize(
    ("frame", "code", "field"),
    [
        ("", ErrorCode.MALFORMED, None),
        ("{", ErrorCode.MALFORMED, None),
        ("[]", ErrorCode.MALFORMED, None),
        ("[" * 60_000, ErrorCode.MALFORMED, None),
        ('{"a":1}', ErrorCode.UNKNOWN_TYPE, "type"),
        ('{"type":"nope"}', ErrorCode.UNKNOWN_TYPE, "type"),
        ('{"type":"ack","n":1,"x":2}', ErrorCode.UNKNOWN_FIELD, "'x'"),
        ('{"type":"ack","n":NaN}', ErrorCode.BAD_VALUE, "n"),
        ('{"type":"ack","n":1e400}', ErrorCode.BAD_VALUE, "n"),
        ('{"type":"ack","n":' + "9" * 5000 + "}", ErrorCode.MALFORMED, None),
        ('{"type":"ack","n":true}', ErrorCode.BAD_VALUE, "n"),
        ('{"type":"ack","n":"1"}', ErrorCode.BAD_VALUE, "n"),
        ('{"type":"ack"}', ErrorCode.BAD_VALUE, "n"),
        ('{"type":"hangup","call":"x"}', ErrorCode.BAD_VALUE, "call"),
        ('{"type":"hangup","call":"' + CALL.upper() + '"}', ErrorCode.BAD_VALUE, "call"),
        ('{"type":"hangup","call":"' + CALL + '","reason":"refused"}', ErrorCode.BAD_VALUE, "reason"),
        ('{"type":"ack","n":1}' + " " * 70_000, ErrorCode.TOO_LARGE, None),
        ('{"type":"' + "早" * 30_000 + '"}', ErrorCode.TOO_LARGE, None),
        (
            json.dumps({"type": "candidates", "call": CALL, "candidates": [{"candidate": ""}] * 65}),
            ErrorCode.TOO_MANY,
            "candidates",
        ),
        (
            json.dumps({"type": "answer", "call": CALL, "sdp": "v" * 33_000, "nonce": "0" * 64}),
            ErrorCode.TOO_LARGE,
            "sdp",
        ),
        (
            json.dumps({"type": "text", "message": CALL, "to": "bob", "text": "a\x00b"}),
            ErrorCode.BAD_VALUE,
            "text",
        ),
        (
            '{"type":"text","message":"' + CALL + '","to":"bob","text":"\\ud800"}',
            ErrorCode.MALFORMED,
            None,
        ),
        (b'{"type":"text","to":"\xff"}', ErrorCode.MALFORMED, None),
    ],
)
def test_a_bad_frame_gets_one_error_that_names_the_fault(
    frame: str | bytes, code: ErrorCode, field: str | None
) -> None:
    error = refusal_of(frame)
    assert (error.code, error.field) == (code, field)
    assert error.text.startswith(error_text(code))
    assert len(error.text) < 500


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"type": "hangup", "call": CALL, "reason": "refused"}, "`reason` must be 'hangup'"),
        ({"type": "reject", "call": CALL, "reason": 7}, "`reason` must be 'declined', 'busy' or "),
        ({"type": "hangup", "call": "x"}, "`call` must be a UUIDv4 in lower case"),
        ({"type": "hangup"}, "`call` is missing"),
        ({"type": "ack", "n": "1"}, "`n` must be a valid integer"),
        (
            {"type": "candidates", "call": CALL, "candidates": [{"candidate": ""}] * 65},
            "`candidates` must have at most 64 items",
        ),
        ({"type": "candidates", "call": CALL, "candidates": [1]}, "must be an object"),
        (
            {"type": "answer", "call": CALL, "sdp": "v=0", "nonce": "x"},
            "`nonce` must be 64 hexadecimal digits in lower case",
        ),
        (
            {"type": "invite", "call": CALL, "to": "bob", "sdp": "v", "media": ["x"]},
            "must be 'audio' or 'video'",
        ),
    ],
)
def test_an_error_says_what_is_allowed_and_names_none_of_our_classes(
    frame: dict[str, object], said: str
) -> None:
    text = refusal_of(json.dumps(frame)).text
    assert said in text
    for ours in ("<", "EndReason", "tuple", "should", "pattern"):
        assert ours not in text


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_no_frame_causes_anything_but_a_peer_error(frame: str | bytes) -> None:
    for decode in (decode_client, decode_server):
        try:
            decode(frame)
        except PeerError:
            continue


def test_a_client_ignores_what_a_later_server_invents() -> None:
    assert decode_server('{"type":"confetti","n":4}') == messages.ServerMessage(n=4)
    with pytest.raises(PeerError):
        decode_server('{"type":"confetti","n":"four"}')
    known = decode_server(json.dumps({"type": "select_answer", "call": CALL, "n": 3, "colour": "red"}))
    assert known == messages.SelectAnswer(call=CallId(CALL), n=3)


def test_a_message_survives_the_wire() -> None:
    message = messages.Invite(
        call=CallId(CALL), to="bob", sdp="v=0", commitment="0" * 64, media=(messages.Media.AUDIO,), ref=7
    )
    assert decode_client(encode(message)) == message


def test_a_refusal_speaks_both_languages_on_the_wire() -> None:
    text = messages.RefusalText(en="no", zh_cn="不")
    refusal = messages.Refusal(code="X", text=text, decision="D-1", permit_needed=None, alternative=text)
    frame = encode(messages.Ended(call=CallId(CALL), reason=EndReason.REFUSED, refusal=refusal))
    said = json.loads(frame)["refusal"]
    assert said["text"] == said["alternative"] == {"en": "no", "zh-CN": "不"}
    assert decode_server(frame) == messages.Ended(
        call=CallId(CALL), reason=EndReason.REFUSED, refusal=refusal
    )


def test_every_reason_has_its_sentence_in_both_languages() -> None:
    assert set(END_TEXTS) == set(EndReason)
    assert set(ERROR_TEXTS) == set(ErrorCode)
    for reason in EndReason:
        assert end_text(reason) != end_text(reason, "zh-CN")
    for code in ErrorCode:
        assert error_text(code) != error_text(code, "zh")


@pytest.mark.parametrize("union", [messages.AnyClientMessage, messages.AnyServerMessage])
def test_every_message_is_frozen_and_in_the_schema(union: object) -> None:
    schema = json_schema()
    models: tuple[type[BaseModel], ...] = get_args(get_args(union)[0])
    for model in models:
        assert model.model_config["frozen"]
        assert model.__doc__
        assert any(name.endswith("." + model.__name__) for name in schema["$defs"])


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (UserId, "alice", "Alice"),
        (UserId, "a", "1alice"),
        (UserId, "a.b-c_9", "alice\n"),
        (PhoneNumber, "+8613800138000", "8613800138000"),
        (PhoneNumber, "+331", "+0331"),
        (CallId, CALL, CALL[:-1]),
        (DeviceId, CALL, CALL.replace("-", "")),
        (MessageId, CALL, "3fa85f64-5717-1562-b3fc-2c963f66afa6"),
        (SessionId, "abcDEF_-1", "a b c d e f g"),
    ],
)
def test_an_identifier_has_a_syntax(kind: type[UserId], good: str, bad: str) -> None:
    assert kind.parse(good) == good
    assert isinstance(kind.parse(good), kind)
    with pytest.raises(ValueError, match="match pattern"):
        kind.parse(bad)
