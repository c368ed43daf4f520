"""How much telephone calling an account and a trunk are good for, until there are rates. Pure.

They are what stands between a stolen password and a ruinous bill: nothing is granted by default, and ranges
where somebody else earns by every minute are closed to everybody.
"""

from dataclasses import dataclass
from enum import StrEnum

from licensing.numbering import NON_GEOGRAPHIC, Number, NumberType
from licensing.reasons import Text

# Whoever holds a number here is paid by those who call it, or nobody holds it.
CLOSED = frozenset(
    {
        NumberType.PREMIUM,
        NumberType.INTERNATIONAL_PREMIUM,
        NumberType.SATELLITE,
        NumberType.INTERNATIONAL_NETWORK,
        NumberType.UNALLOCATED,
    }
)


class Whose(StrEnum):
    """Whose limit it is."""

    ACCOUNT = "account"
    TRUNK = "trunk"


class Cap(StrEnum):
    """What a call was refused for; a label of metrics and alarms."""

    NOT_ENTITLED = "not_entitled"
    RANGE_CLOSED = "range_closed"
    COUNTRY_CLOSED = "country_closed"
    CONCURRENT_CALLS = "concurrent_calls"
    CALLS_PER_HOUR = "calls_per_hour"
    MINUTES_PER_DAY = "minutes_per_day"


@dataclass(frozen=True, slots=True)
class Caps:
    """Hard limits of an account or a trunk. `countries`: ISO 3166-1 alpha-2, or NON_GEOGRAPHIC for codes of
    none; those that are not named are closed."""

    concurrent_calls: int
    calls_per_hour: int
    minutes_per_day: int
    call_seconds: int
    countries: frozenset[str]


@dataclass(frozen=True, slots=True)
class Used:
    """What was used: calls that are alive, attempts of the last hour, seconds of the last 24 hours, in which
    calls that are alive count with what they may still take."""

    calls: int = 0
    attempts: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be tried, and ends after `seconds` at the latest; None for a call for help, which has no end."""

    seconds: int | None


@dataclass(frozen=True, slots=True)
class Capped:
    """It may not."""

    cap: Cap
    whose: Whose

    @property
    def text(self) -> Text:
        """For the person who called."""
        return TEXTS[self.cap, self.whose]


_RANGE = Text(
    "Numbers of this kind are not called from here, because calling them costs too much.",
    "此类号码资费过高，本服务不予拨打。",
)
_COUNTRY = Text("This account may not call that country.", "此账号不可拨打该国家或地区。")
TEXTS: dict[tuple[Cap, Whose], Text] = {
    (Cap.NOT_ENTITLED, Whose.ACCOUNT): Text(
        "This account may not call telephone numbers; ask the operator.",
        "此账号未开通电话拨打，请联系运营者。",
    ),
    (Cap.NOT_ENTITLED, Whose.TRUNK): Text(
        "The carrier's line has no limits set, so it is not used.", "该中继尚未设置限额，暂不使用。"
    ),
    (Cap.RANGE_CLOSED, Whose.ACCOUNT): _RANGE,
    (Cap.RANGE_CLOSED, Whose.TRUNK): _RANGE,
    (Cap.COUNTRY_CLOSED, Whose.ACCOUNT): _COUNTRY,
    (Cap.COUNTRY_CLOSED, Whose.TRUNK): Text(
        "The carrier's line is not used for calls to that country.", "该中继不用于拨打该国家或地区。"
    ),
    (Cap.CONCURRENT_CALLS, Whose.ACCOUNT): Text(
        "This account has as many telephone calls at once as it may.", "此账号同时进行的电话已达上限。"
    ),
    (Cap.CONCURRENT_CALLS, Whose.TRUNK): Text(
        "All lines are in use; try again shortly.", "线路全忙，请稍后再试。"
    ),
    (Cap.CALLS_PER_HOUR, Whose.ACCOUNT): Text(
        "This account has made as many calls in an hour as it may; try again later.",
        "此账号一小时内的拨打次数已达上限，请稍后再试。",
    ),
    (Cap.CALLS_PER_HOUR, Whose.TRUNK): Text(
        "Too many calls were made in this hour; try again later.", "本小时呼叫次数已达上限，请稍后再试。"
    ),
    (Cap.MINUTES_PER_DAY, Whose.ACCOUNT): Text(
        "This account has used its telephone minutes of a day.", "此账号一天的通话分钟数已用完。"
    ),
    (Cap.MINUTES_PER_DAY, Whose.TRUNK): Text(
        "The telephone minutes of a day are used up.", "一天的通话分钟数已用完。"
    ),
}


def within(
    to: Number, account: Caps | None, used: Used, trunk: Caps | None, trunk_used: Used
) -> Allowed | Capped:
    """May this number be called now? The account's word goes first. A call for help has no caps."""
    if to.emergency:
        return Allowed(None)
    if to.type in CLOSED:
        return Capped(Cap.RANGE_CLOSED, Whose.ACCOUNT)
    ends: list[int] = []
    for whose, caps, of in ((Whose.ACCOUNT, account, used), (Whose.TRUNK, trunk, trunk_used)):
        found = _one(to, caps, of)
        if isinstance(found, Cap):
            return Capped(found, whose)
        ends.append(found)
    return Allowed(min(ends))


def _one(to: Number, caps: Caps | None, used: Used) -> int | Cap:
    """The seconds that are left for the call, or what forbids it."""
    if caps is None:
        return Cap.NOT_ENTITLED
    if (to.country or NON_GEOGRAPHIC) not in caps.countries:
        return Cap.COUNTRY_CLOSED
    if used.calls >= caps.concurrent_calls:
        return Cap.CONCURRENT_CALLS
    if used.attempts >= caps.calls_per_hour:
        return Cap.CALLS_PER_HOUR
    left = min(caps.call_seconds, caps.minutes_per_day * 60 - used.seconds)
    return left if left > 0 else Cap.MINUTES_PER_DAY
