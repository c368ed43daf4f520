"""Routes by which a browser asks to be woken, and declines a call without opening the app."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.core.events import Rejected
from signaling.core.party import Party
from signaling.ports.push import Sleeper
from signaling.web_push import LONGEST_ENDPOINT, PushError, Subscription
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import CallId, DeviceId
from wephone.protocol.messages import Model
from wephone.protocol.reasons import EndReason, ErrorCode, error_text

routes = Routes()

Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Key(Model):
    """The key to subscribe with: `applicationServerKey`, in base64url."""

    key: str


class Keys(Model):
    """What the browser has made: its public key and a secret, in base64url."""

    p256dh: Text = Field(repr=False)
    auth: Text = Field(repr=False)


class Wake(Model):
    """A PushSubscription of the browser, and the language that its notifications are in."""

    endpoint: Annotated[str, StringConstraints(max_length=LONGEST_ENDPOINT)] = Field(repr=False)
    keys: Keys
    language: Literal["en", "zh-CN"]


class Decline(Model):
    """Which device says so."""

    device: DeviceId


@routes.add("GET", "/api/push", Rule.SIGNED_IN)
async def push_key(visit: Visit) -> Key:
    """The key to subscribe with at the browser's push service."""
    return Key(key=visit.parts.bell.public_key)


@routes.add("PUT", "/api/push/{device}", Rule.SIGNED_IN)
async def keep_push(visit: Visit, body: Wake) -> None:
    """Wake this device when somebody calls or writes, as long as this session lasts."""
    sleeper = Sleeper(device_in_path(visit), body.endpoint, body.keys.p256dh, body.keys.auth, body.language)
    try:
        Subscription(sleeper.endpoint, sleeper.p256dh, sleeper.auth)
    except PushError as error:
        raise Problem(400, "bad_value", str(error), field="keys") from None
    if not visit.parts.bell.serves(sleeper.endpoint):
        raise Problem(
            403, "no_push_service", "that is no push service that this server asks", field="endpoint"
        )
    if not await visit.parts.store.keep_push(visit.user, sleeper, visit.known.session, visit.parts.now_us()):
        raise Problem(404, "no_such_device", "this account has no such device: connect it first")


@routes.add("DELETE", "/api/push/{device}", Rule.SIGNED_IN)
async def forget_push(visit: Visit) -> None:
    """Wake this device no more."""
    await visit.parts.store.forget_device_push(visit.user, device_in_path(visit))


@routes.add("POST", "/api/calls/{call}/decline", Rule.SIGNED_IN)
async def decline(visit: Visit, body: Decline) -> None:
    """Turn down a call that rings, from a device that is not connected. None answers one."""
    by = Party(visit.user, body.device)
    try:
        call = CallId.parse(visit.request.match_info["call"])
        visit.parts.exchange.switch.receive(call, Rejected(by, EndReason.DECLINED), None)
    except (PeerError, ValueError):
        raise Problem(404, ErrorCode.UNKNOWN_CALL, error_text(ErrorCode.UNKNOWN_CALL)) from None


def device_in_path(visit: Visit) -> DeviceId:
    """The `{device}` of the path; Problem if that is none."""
    try:
        return DeviceId.parse(visit.request.match_info["device"])
    except ValueError:
        raise Problem(400, "bad_value", "that is no device's id", field="device") from None
