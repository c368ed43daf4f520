"""What goes to a push service: the RFC's example, keys that are none, addresses that are never asked."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signaling.bell import key_in
from signaling.settings import PUSH_SERVICES
from signaling.web_push import (
    PushError,
    PushKey,
    PushKeyError,
    Subscription,
    encrypted,
    is_served,
    octets_of,
    text_of,
)
from tests.fakes.push_service import PushService, vouched

# RFC 8291 §5 and its appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
BROWSER = Subscription(
    "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
)
SERVER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_rfc_comes_out() -> None:
    server = PushKey(derive_private_key(int.from_bytes(octets_of(SERVER)), SECP256R1()))
    assert text_of(encrypted(TEXT, BROWSER, server, octets_of(SALT))) == BODY


def test_no_two_bodies_are_alike_and_all_are_as_long() -> None:
    bodies = [BROWSER.sealed({"from": name}) for name in ("a", "a", "a" * 32)]
    assert len(set(bodies)) == 3
    assert len({len(body) for body in bodies}) == 1


def test_a_service_can_check_who_asks() -> None:
    key = PushKey.new()
    claims = vouched(key.authorization("https://push.example.net/push/x", "mailto:ops@example.org", 1000))
    assert claims == {
        "aud": "https://push.example.net",
        "exp": 1000 + 12 * 3600,
        "sub": "mailto:ops@example.org",
    }
    assert "sub" not in vouched(key.authorization("https://push.example.net/x", None, 1000))
    assert octets_of(key.public)[0] == 4
    assert PushService().browser().subscription["keys"]["auth"]


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "push-key.pem"
    first = key_in(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert key_in(file).public == first.public


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"no key",
        generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
)
def test_what_is_no_key_of_the_curve_is_refused(pem: bytes) -> None:
    with pytest.raises(PushKeyError):
        PushKey.read(pem)


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("", BROWSER.auth),
        ("AAAA", BROWSER.auth),
        (BROWSER.p256dh, "AAAA"),
        (BROWSER.p256dh, "!"),
        ("é", BROWSER.auth),
    ],
)
def test_what_cannot_be_encrypted_to_is_no_subscription(key: str, secret: str) -> None:
    with pytest.raises(PushError):
        Subscription(BROWSER.endpoint, key, secret)


@pytest.mark.parametrize(
    ("endpoint", "served"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://web.push.apple.com/abc", True),
        ("http://fcm.googleapis.com/fcm/send/abc", False),
        ("https://fcm.googleapis.com:8443/fcm/send/abc", False),
        ("https://fcm.googleapis.com@127.0.0.1/x", False),
        ("https://user@fcm.googleapis.com/x", False),
        ("https://evil.example/fcm.googleapis.com", False),
        ("https://evilpush.apple.com.example/", False),
        ("https://push.apple.com/", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://127.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("fcm.googleapis.com", False),
        ("", False),
        ("https://[::1", False),
        ("https://fcm.googleapis.com/" + "x" * 2048, False),
    ],
)
def test_no_other_address_than_a_push_services_is_asked(endpoint: str, served: bool) -> None:
    assert is_served(endpoint, PUSH_SERVICES) is served
    assert not is_served(endpoint, ())


def test_an_origin_is_served_at_its_port_alone() -> None:
    assert is_served("http://127.0.0.1:9000/push/x", ("http://127.0.0.1:9000",))
    assert not is_served("http://127.0.0.1:9001/push/x", ("http://127.0.0.1:9000",))
