"""SIP dialogs: the way their requests take, and their numbers."""

from dataclasses import replace

import pytest

from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.dialog import Dialog, dialog_of_callee, dialog_of_caller
from signaling.pstn.sip.headers import Address, CSeq, Via, parse_address
from signaling.pstn.sip.message import Request, build, parse
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.uri import Uri
from tests.signaling.pstn.sip.samples import invite

PROXIES = (
    ("Record-Route", "<sip:p2.example;lr>, <sip:p1.example;lr>"),
    ("Contact", "<sip:+44@198.51.100.7:5070;transport=UDP;ob>"),
)
OURS = Address(Uri("sip", "192.0.2.9", "wephone"))


def caller(*fields: tuple[str, str], asked: Request | None = None) -> Dialog:
    asked = asked or invite()
    return dialog_of_caller(asked, respond(asked, 200, tag="theirs", fields=fields or PROXIES), "seed")


def callee() -> Dialog:
    asked = invite("Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>")
    return dialog_of_callee(asked, "mine", Via("UDP", "192.0.2.9", 5060), OURS, "seed")


def test_requests_of_the_caller_take_the_recorded_way_to_the_contact() -> None:
    dialog, bye = caller().request("BYE", (("Reason", "Q.850;cause=16"),))
    assert str(bye.uri) == "sip:+44@198.51.100.7:5070;transport=UDP;ob"
    assert [str(route) for route in bye.addresses("Route")] == ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]
    assert (bye.sender.tag, bye.to.tag, bye.call_id) == ("ours", "theirs", invite().call_id)
    assert bye.cseq == CSeq(2, "BYE")
    assert bye.get("Reason") == "Q.850;cause=16"
    assert bye.via.parameter("rport") == ""
    assert dialog.local_cseq == 2
    assert parse(build(bye)) == bye


def test_requests_of_the_callee_take_the_way_in_the_order_it_was_recorded() -> None:
    _, bye = callee().request("BYE")
    assert [str(route) for route in bye.addresses("Route")] == ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]
    assert str(bye.uri) == "sip:wephone@192.0.2.1:5060"
    assert (bye.sender.tag, bye.to.tag) == ("mine", "ours")


def test_a_strict_router_is_named_by_the_request_uri() -> None:
    dialog = caller(("Record-Route", "<sip:old.example>"), ("Contact", "<sip:b@192.0.2.5>"))
    _, bye = dialog.request("BYE")
    assert str(bye.uri) == "sip:old.example"
    assert [str(route) for route in bye.addresses("Route")] == ["<sip:b@192.0.2.5>"]


def test_an_ack_of_a_2xx_has_the_invites_number_and_credentials_and_is_always_the_same() -> None:
    asked = invite("Proxy-Authorization: Digest username=a", "P-Asserted-Identity: <sip:a@b>", cseq=4)
    dialog = caller(asked=asked)
    ack = dialog.acknowledge(asked)
    assert ack.cseq == CSeq(4, "ACK")
    assert ack.get("Proxy-Authorization") == "Digest username=a"
    assert ack.get("P-Asserted-Identity") is None
    assert ack.via.branch != asked.via.branch
    assert dialog.acknowledge(asked) == ack


def test_no_two_requests_share_a_branch_and_a_restart_makes_the_same_again() -> None:
    first = caller()
    second, bye = first.request("BYE")
    _, other = second.request("BYE")
    fork = replace(first, remote=parse_address("<sip:b@c>;tag=fork"))
    branches = {
        request.via.branch for request in (bye, other, fork.request("BYE")[1], first.acknowledge(invite()))
    }
    assert len(branches) == 4
    assert caller().request("BYE")[1] == bye


def test_an_older_or_foreign_request_is_refused_and_changes_nothing() -> None:
    dialog = callee()
    theirs = replace(invite(cseq=5), to=dialog.local)
    after = dialog.received(theirs)
    assert after.remote_cseq == 5
    with pytest.raises(SipError) as older:
        after.received(theirs)
    assert older.value.status == 500
    ack = replace(theirs, method="ACK", cseq=CSeq(1, "ACK"))
    assert after.received(ack) == after
    for foreign in (replace(theirs, call_id="x"), replace(theirs, to=theirs.to.untagged())):
        with pytest.raises(SipError) as caught:
            dialog.received(foreign)
        assert caught.value.status == 481


def test_the_peer_may_move_and_nonsense_moves_nobody() -> None:
    dialog = callee()
    base = replace(invite(), fields=())
    for contact, host in [
        ("<sip:new@192.0.2.77>", "192.0.2.77"),
        ("*", "192.0.2.1"),
        ("<tel:+1>", "192.0.2.1"),
    ]:
        assert dialog.refreshed(replace(base, fields=(("Contact", contact),))).target.host == host


def test_a_2xx_without_contact_makes_no_dialog_and_a_provisional_one_does() -> None:
    asked = invite()
    with pytest.raises(SipError) as caught:
        dialog_of_caller(asked, respond(asked, 200, tag="t"), "seed")
    assert caught.value.status is None
    assert dialog_of_caller(asked, respond(asked, 183, tag="t"), "seed").target == asked.uri
    with pytest.raises(SipError):
        dialog_of_callee(replace(asked, fields=()), "t", asked.via, OURS, "seed")
