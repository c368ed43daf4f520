"""Encrypted sound: keys are agreed on or the call is not made; nothing is agreed on by accident."""

import itertools
import random
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.sdes import (
    MOST_KEYS,
    Key,
    Suite,
    agreed,
    chosen,
    drawn,
    encrypted,
    is_encrypted,
    offered,
)
from tests.signaling.pstn.sip.agents import OFFER as NO_AUDIO

PLAIN = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)
KEY = bytes(range(30))
TEXT = b64encode(KEY).decode()
AES_80 = Suite.AES_CM_128_HMAC_SHA1_80


def dice(seed: int = 1) -> random.Random:
    return random.Random(seed)


def described(*cryptos: str, media: str = "audio 40000 RTP/SAVP 8") -> bytes:
    """A description with these attributes."""
    return "\r\n".join(["v=0", "s=-", f"m={media}", *(f"a=crypto:{text}" for text in cryptos), ""]).encode()


def why(sdp: bytes) -> str:
    with pytest.raises(SipError) as error:
        offered(sdp)
    assert error.value.status == 488
    return error.value.sentence


def test_an_offer_and_its_answer_agree_on_one_key_for_each_way() -> None:
    offer = encrypted(PLAIN, drawn(dice(1).randbytes))
    answer = encrypted(PLAIN, [chosen(offer, dice(2).randbytes)])
    caller, callee = agreed(offer, answer), agreed(answer, offer)
    assert caller.suite is callee.suite is Suite.AES_256_CM_HMAC_SHA1_80
    assert (caller.ours, caller.theirs) == (callee.theirs, callee.ours)
    assert caller.ours != caller.theirs
    assert len(caller.ours) == 46


@pytest.mark.parametrize("suite", Suite)
def test_each_kind_of_key_that_is_offered_is_taken(suite: Suite) -> None:
    offer = encrypted(PLAIN, drawn(dice().randbytes, [suite]))
    key = chosen(offer, dice(2).randbytes)
    assert (key.suite, len(key.master)) == (suite, suite.octets)


def test_a_description_becomes_one_of_srtp_and_stays_what_it_is_otherwise() -> None:
    two = PLAIN + b"m=video 0 RTP/AVP 96\r\n"
    key = Key(1, AES_80, KEY)
    made = encrypted(two, [key]).decode().split("\r\n")
    assert f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEXT}" == made[8]
    made.remove(key.line())
    assert "\r\n".join(made).replace("SAVP", "AVP").encode() == two
    assert offered(encrypted(two, [key])) == (key,)


def test_what_has_no_plain_audio_is_not_made_encrypted() -> None:
    for sdp in (NO_AUDIO, encrypted(PLAIN, drawn(dice().randbytes))):
        with pytest.raises(ValueError, match="plain audio"):
            encrypted(sdp, drawn(dice().randbytes))


def test_plain_sound_is_refused_in_words() -> None:
    assert why(PLAIN) == "the sound is not encrypted"
    assert why(NO_AUDIO) == "no audio is described"
    assert why(described(f"1 {AES_80} inline:{TEXT}", media="audio 40000 UDP/TLS/RTP/SAVP 8"))


@pytest.mark.parametrize(
    "crypto",
    [
        f"1 AES_CM_128_HMAC_SHA1_81 inline:{TEXT}",
        f"1 F8_128_HMAC_SHA1_80 inline:{TEXT}",
        f"1 {AES_80} inline:{TEXT[:-4]}",  # too short
        f"1 {AES_80} inline:{TEXT}AAAA",  # too long
        f"1 {AES_80} inline:{TEXT}|2^48|1:4",  # its packets carry an index
        f"1 {AES_80} inline:{TEXT};inline:{TEXT}",
        f"1 {AES_80} inline:{TEXT}|2^49",
        f"1 {AES_80} inline:{TEXT}|1000",
        f"1 {AES_80} uri:{TEXT}",
        f"1 {AES_80} inline:{TEXT} UNENCRYPTED_SRTP",
        f"1 {AES_80} inline:{TEXT} UNAUTHENTICATED_SRTP",
        f"1 {AES_80} inline:{TEXT} KDR=1",
        f"one {AES_80} inline:{TEXT}",
        f"1 {AES_80}",
    ],
)
def test_a_key_that_would_encrypt_otherwise_is_none(crypto: str) -> None:
    sentence = why(described(crypto))
    assert sentence == "no key of the encrypted sound can be used"
    good = f"2 {AES_80} inline:{TEXT}"
    assert offered(described(crypto, good)) == (Key(2, AES_80, KEY),)


@pytest.mark.parametrize("rest", ["", "|2^31", "|1048576", " WSH=64", " -X=1"])
def test_a_key_may_say_what_changes_nothing(rest: str) -> None:
    assert offered(described(f"1 {AES_80} inline:{TEXT}{rest}")) == (Key(1, AES_80, KEY),)


def test_keys_of_another_medium_are_not_those_of_the_sound() -> None:
    sdp = (
        described(media="audio 40000 RTP/SAVP 8")
        + b"m=video 4 RTP/SAVP 96\r\n"
        + (f"a=crypto:1 {AES_80} inline:{TEXT}\r\n".encode())
    )
    assert why(sdp)


def test_a_tag_means_its_first_key_and_a_flood_of_keys_is_cut_short() -> None:
    other = b64encode(bytes(30)).decode()
    many = [f"{n} {AES_80} inline:{TEXT}" for n in range(1, 100)]
    assert offered(described(f"1 {AES_80} inline:{TEXT}", f"1 {AES_80} inline:{other}")) == (
        Key(1, AES_80, KEY),
    )
    assert len(offered(described(*many))) == MOST_KEYS


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (PLAIN, "not encrypted"),
        (described(), "no key"),
        (described(f"3 {AES_80} inline:{TEXT}"), "agreed"),  # a tag that was not offered
        (described(f"1 {AES_80} inline:{TEXT}"), "agreed"),  # another suite under that tag
        (described(f"1 {AES_80} inline:{TEXT}", f"2 {AES_80} inline:{TEXT}"), "agreed"),  # it does not choose
    ],
)
def test_an_answer_that_takes_no_key_of_the_offer_agrees_on_nothing(answer: bytes, sentence: str) -> None:
    offer = encrypted(PLAIN, drawn(dice().randbytes))
    with pytest.raises(SipError, match=sentence):
        agreed(offer, answer)


def test_our_own_key_said_back_to_us_is_not_agreed_on() -> None:
    offer = encrypted(PLAIN, [Key(1, AES_80, KEY)])
    with pytest.raises(SipError, match="our own"):
        agreed(offer, offer)


def test_no_key_is_shown_by_what_is_logged() -> None:
    key = Key(1, AES_80, KEY)
    keys = agreed(encrypted(PLAIN, [key]), encrypted(PLAIN, [Key(1, AES_80, KEY[::-1])]))
    bad = described(f"1 {AES_80} inline:{TEXT}AAAA")
    for shown in (repr(key), str(key), repr(keys), why(bad)):
        assert TEXT[:8] not in shown
        assert repr(KEY)[2:20] not in shown


PIECES = ["a=crypto:", "1", "2^", "|", ":", ";", " ", str(AES_80), "inline:", TEXT, "=", "\r\n", "m=audio 1 "]


@given(st.lists(st.sampled_from([*PIECES, "RTP/SAVP 8", "\x00", "é", "9" * 40]), max_size=20))
def test_whatever_is_described_is_read_or_refused(pieces: list[str]) -> None:
    for sdp in itertools.accumulate(pieces, initial="m=audio 1 RTP/SAVP 8\r\n"):
        is_encrypted(sdp.encode())
