"""Digest: the published vectors, the choice among challenges, and when we stop trying."""

from dataclasses import replace

import pytest

from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.digest import (
    Challenge,
    Credentials,
    Login,
    Retry,
    answer,
    challenges,
    digest,
    is_answered,
    read,
    strongest,
)
from signaling.pstn.sip.message import Request, Response, build, parse
from signaling.pstn.sip.problem import SipError
from tests.signaling.pstn.sip.samples import invite

ALICE = Credentials("alice", "open sesame")
LOGIN = Login(ALICE)


def challenged(*lines: tuple[str, str], status: int = 401, asked: Request | None = None) -> Response:
    return respond(asked or invite(), status, tag="carrier", fields=lines)


def www(nonce: str = "n1", more: str = "", algorithm: str = "SHA-256", realm: str = "r") -> tuple[str, str]:
    return (
        "WWW-Authenticate",
        f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{more}',
    )


def retried(login: Login, asked: Request, response: Response) -> Retry:
    retry = login.retry(asked, response, "z9hG4bKnext", "c")
    assert retry is not None
    return retry


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_3_9_1(algorithm: str, response: str) -> None:
    who = ("Mufasa", "http-auth@example.org", "Circle of Life")
    proof = ("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001")
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    assert digest(algorithm, who, ("GET", "/dir/index.html", b""), (*proof, cnonce, "auth")) == response


def test_the_example_of_rfc_7616_3_9_2_as_its_erratum_4897_has_it() -> None:
    who = ("J\u00e4s\u00f8n Doe", "api@example.org", "Secret, or not?")
    proof = ("5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "00000001")
    cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert digest("SHA-512-256", who, ("GET", "/doe.json", b""), (*proof, cnonce, "auth")) == response


def test_a_challenge_from_before_rfc_2617_is_answered_too() -> None:
    """RFC 2617 §3.5 without qop, by its own formula."""
    who = ("Mufasa", "testrealm@host.com", "Circle Of Life")
    what = ("GET", "/dir/index.html", b"")
    proof = ("dcd98b7102dd2f0e8b11d0f600bfb0c093", "", "", None)
    assert digest("MD5", who, what, proof) == "670fd8c2df070c60b045671b8b24ff02"


def test_the_best_algorithm_is_taken_whatever_comes_first() -> None:
    response = challenged(
        ("WWW-Authenticate", 'Basic realm="r"'),
        www("n0", algorithm="SHA-3"),
        www("n1", algorithm="MD5"),
        www("n2", algorithm="sha-512-256"),
        www("n3", algorithm="SHA-256"),
        ("WWW-Authenticate", 'Digest realm="r", nonce="n4", qop="token"'),
        ("WWW-Authenticate", 'Digest realm="r"'),
        ("WWW-Authenticate", "Digest realm realm"),
    )
    assert [one.nonce for one in challenges(response)] == ["n1", "n2", "n3"]
    assert [one.nonce for one in strongest(challenges(response))] == ["n2"]


def test_qop_auth_is_preferred_and_auth_int_covers_the_body() -> None:
    both = challenged(("WWW-Authenticate", 'Digest realm="r", nonce="a,b", qop="auth-int, auth"'))
    (challenge,) = challenges(both)
    assert (challenge.qop, challenge.nonce, challenge.algorithm) == ("auth", "a,b", "MD5")
    only = challenged(("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth-int"'))
    (challenge,) = challenges(only)
    value = answer(challenge, ALICE, invite(), "c", 1)
    assert is_answered(challenge, ALICE, invite(), value)
    assert not is_answered(challenge, ALICE, replace(invite(), body=b"v=1\r\n"), value)


def test_a_retry_is_the_same_request_with_all_that_identifies_the_caller() -> None:
    asked = invite(
        "P-Asserted-Identity: <sip:+442079460002@carrier.example>",
        "Privacy: id",
        "Identity: ab.cd.ef;info=<https://carrier.example/c.pem>",
    )
    opaque = ', opaque="o\\"o"'
    retry = retried(LOGIN, asked, challenged(www(more=opaque), asked=asked))
    again = retry.request
    assert again.fields[:-1] == asked.fields
    assert again.body == asked.body
    assert (again.call_id, again.sender, again.to) == (asked.call_id, asked.sender, asked.to)
    assert again.cseq.number == asked.cseq.number + 1
    assert again.via.branch == "z9hG4bKnext"
    assert again.via.parameter("rport") == ""
    name, value = again.fields[-1]
    assert name == "Authorization"
    assert read(value) == {
        "username": "alice",
        "realm": "r",
        "nonce": "n1",
        "uri": str(asked.uri),
        "response": read(value)["response"],
        "algorithm": "SHA-256",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "c",
        "opaque": 'o"o',
    }
    assert parse(build(again)) == again
    assert is_answered(challenges(challenged(www()))[0], ALICE, again, value)


def test_a_wrong_password_is_said_once() -> None:
    retry = retried(LOGIN, invite(), challenged(www("n1")))
    assert retry.login.retry(retry.request, challenged(www("n2")), "z9hG4bK3", "c") is None


def test_a_stale_nonce_is_replaced_once() -> None:
    first = retried(LOGIN, invite(), challenged(www("n1")))
    second = retried(first.login, first.request, challenged(www("n2", ", stale=TRUE")))
    assert [f[0] for f in second.request.fields].count("Authorization") == 1
    assert read(second.request.fields[-1][1])["nonce"] == "n2"
    assert second.login.retry(second.request, challenged(www("n3", ", stale=true")), "b", "c") is None


def test_a_proxy_and_the_far_end_are_both_answered() -> None:
    first = retried(
        LOGIN, invite(), challenged(("Proxy-Authenticate", 'Digest realm="p", nonce="n"'), status=407)
    )
    second = retried(first.login, first.request, challenged(www()))
    assert [f[0] for f in second.request.fields[-2:]] == ["Proxy-Authorization", "Authorization"]
    assert second.request.cseq.number == 3


def test_what_was_accepted_is_used_at_once_with_the_next_count() -> None:
    login = retried(LOGIN, invite(), challenged(www())).login.fresh()
    login, second = login.authorize(invite(), "c2")
    assert read(second.fields[-1][1])["nc"] == "00000002"
    assert login.retry(second, challenged(www("n2", ", stale=true")), "b", "c") is not None


@pytest.mark.parametrize("status", [403, 486, 200])
def test_only_a_challenge_is_answered(status: int) -> None:
    assert LOGIN.retry(invite(), challenged(www(), status=status), "b", "c") is None
    assert LOGIN.retry(invite(), challenged(status=401), "b", "c") is None


def test_an_answer_is_for_one_user_nonce_request_and_password() -> None:
    challenge = Challenge("r", "n", "SHA-256", "auth")
    value = answer(challenge, ALICE, invite(), "c", 1)
    assert is_answered(challenge, ALICE, invite(), value)
    assert not is_answered(challenge, Credentials("alice", "open"), invite(), value)
    assert not is_answered(challenge, Credentials("bob", "open sesame"), invite(), value)
    assert not is_answered(replace(challenge, nonce="m"), ALICE, invite(), value)
    assert not is_answered(replace(challenge, algorithm="MD5"), ALICE, invite(), value)
    assert not is_answered(challenge, ALICE, replace(invite(), method="BYE"), value)
    assert not is_answered(challenge, ALICE, invite(), "Basic YQ==")
    assert not is_answered(challenge, ALICE, invite(), value.replace("response", "responze"))


def test_a_challenge_is_read_as_it_was_written() -> None:
    for challenge in (
        Challenge('r "q"', "n", "SHA-512-256", "auth", 'o"', True),
        Challenge("", "n", "MD5", None),
    ):
        assert challenges(challenged(("WWW-Authenticate", str(challenge)))) == (challenge,)


def test_a_password_is_not_shown() -> None:
    assert "sesame" not in repr(LOGIN)


@pytest.mark.parametrize("value", ["Digest a", "Digest a=1, a=2", "Basic x", ""])
def test_what_is_no_digest_is_refused(value: str) -> None:
    with pytest.raises(SipError):
        read(value)
