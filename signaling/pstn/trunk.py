"""One carrier as the operator describes it: where it is, what it takes, and what it is good for.

Secrets are not in it: `trunk_file.py` finds them in a file of their own or in the environment.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from licensing.places import e164_fault
from licensing.reasons import Obligation, is_per_call
from signaling.media import Language
from signaling.ports.legs import Duties
from signaling.pstn.caps import Caps
from signaling.pstn.numbers import NumberFormat, Style
from signaling.pstn.selection import Health, Standing
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.problem import CarrierError, SipError
from signaling.pstn.sip.selection import allowed
from signaling.pstn.sip.uri import Uri, parse_uri
from signaling.settings import Country, Destination, Network, listed, placed, spelled
from wephone.protocol.ids import UserId

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
NAME_SPELLING = "at most 32 of a to z, 0 to 9 and `_`, with a letter first"
MOST_CALLS = 10_000


def carrier_uri(text: str) -> str:
    """Where calls are sent: a host, perhaps a port and a transport, and nobody's name."""
    try:
        uri = parse_uri(text)
        if isinstance(uri, Uri):
            allowed(uri)
    except (SipError, CarrierError) as error:
        raise ValueError(f"cannot be used: {error.sentence}") from None
    if not isinstance(uri, Uri) or uri.user is not None or uri.headers:
        raise ValueError("must be an address such as `sip:sip.carrier.example;transport=tls`")
    return text


def duty(code: Obligation) -> Obligation:
    """Something that a trunk can do for a call."""
    if not is_per_call(code):
        raise ValueError("must be something that is done for each call")
    return code


E164 = Annotated[str, placed(e164_fault)]
Duty = Annotated[Obligation, AfterValidator(duty)]
Codec = Literal["PCMA", "PCMU", "G722", "opus"]
Countries = Annotated[frozenset[Destination], BeforeValidator(listed)]
Text = Annotated[str, Field(min_length=1, max_length=128), spelled(r"[!-~]+", "printable ASCII, no space")]


class Model(BaseModel):
    """A part of a trunk's description: whatever is not known is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Numbers(Model):
    """How this carrier writes numbers."""

    style: Style = Style.E164
    country: Country | None = None
    exit_code: Annotated[str, spelled(r"[0-9]{1,5}", "one to five digits")] = "00"
    prefix: Annotated[str, spelled(r"[0-9*#]{0,12}", "at most 12 digits, `*` and `#`")] = ""

    @model_validator(mode="after")
    def _has_a_country(self) -> Self:
        if self.style is Style.NATIONAL and self.country is None:
            raise ValueError("style `national` needs country")
        return self

    def form(self) -> NumberFormat:
        """As the rules of numbers take it."""
        return NumberFormat(self.style, self.country, self.exit_code, self.prefix)


class CallerId(Model):
    """Who a call says it is from. `header` is where this carrier looks for it; `default` is shown for callers
    who own no number, who otherwise call none. No field of a call is ever taken for it."""

    header: Literal["p_asserted_identity", "p_preferred_identity", "from"] = "p_asserted_identity"
    default: E164 | None = None


class Limits(Model):
    """What this trunk is good for, all accounts together."""

    concurrent_calls: Annotated[int, Field(ge=1, le=MOST_CALLS)] = 10
    calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 2.0
    calls_per_hour: Annotated[int, Field(ge=1)] = 500
    minutes_per_day: Annotated[int, Field(ge=1)] = 1000
    call_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 120
    countries: Countries

    def caps(self) -> Caps:
        """As the rule of caps takes them."""
        return Caps(
            self.concurrent_calls,
            self.calls_per_hour,
            self.minutes_per_day,
            self.call_minutes * 60,
            self.countries,
        )


class Trunk(Model):
    """One carrier. Those of a lower `priority` are tried first; `sources` are where its calls come from, and
    `media_networks` where its sound may go to and come from: any public address if none is named."""

    uri: Annotated[str, AfterValidator(carrier_uri)]
    sign_in: Literal["register", "digest", "address"] = "register"
    username: Text | None = None
    auth_username: Text | None = None  # where digest takes another name than the one that is registered
    password_file: Path | None = None
    register_every: Annotated[int, Field(ge=60, le=86_400)] = 300  # seconds
    options_every: Annotated[int, Field(ge=5, le=3600)] = 30  # seconds
    sources: Annotated[tuple[Network, ...], BeforeValidator(listed)] = ()
    media_networks: Annotated[tuple[Network, ...], BeforeValidator(listed)] = ()
    codecs: Annotated[tuple[Codec, ...], BeforeValidator(listed), Field(min_length=1)] = ("PCMA", "PCMU")
    srtp: bool = False  # RFC 4568; never given up where it is asked for
    language: Language = "en"  # of what is told in its calls by recordings
    priority: Annotated[int, Field(ge=0, le=1000)] = 100
    numbers: Numbers = Numbers()
    caller_id: CallerId = CallerId()
    limits: Limits
    duties: Annotated[frozenset[Duty], BeforeValidator(listed)] = frozenset()
    emergency_in: Annotated[frozenset[Country], BeforeValidator(listed)] = frozenset()
    dids: Mapping[E164, UserId] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _has_no_secret(cls, values: Any) -> Any:
        if isinstance(values, dict) and {"password", "secret"} & values.keys():
            raise ValueError("a password does not belong here: say password_file, or use the environment")
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.sign_in == "address" and (self.username or self.password_file):
            raise ValueError("sign_in `address` takes neither username nor password_file")
        if self.sign_in != "address" and self.username is None:
            raise ValueError(f"sign_in `{self.sign_in}` needs username")
        uri = parse_uri(self.uri)
        if self.srtp and isinstance(uri, Uri) and allowed(uri) != (Transport.TLS,):
            raise ValueError("srtp needs TLS, or its keys can be read on the way (RFC 4568 §7.1)")
        if not {"PCMA", "PCMU"} & set(self.codecs):
            raise ValueError("codecs need PCMA or PCMU: no other is carried to a trunk")
        if self.dids and self.sign_in == "address" and not self.sources:
            raise ValueError("dids need sources, or nobody knows whose calls these are")
        return self

    def carries_out(self, duties: Iterable[Obligation]) -> Duties:
        """What the law asks for a call, in order, and whether this trunk declares that it does so (R11)."""
        return tuple((code, code in self.duties) for code in sorted(duties))

    def standing(self, name: str, health: Health, calls: int, wait: float) -> Standing:
        """As the choice of a trunk takes it."""
        return Standing(
            name,
            self.priority,
            health,
            calls,
            self.limits.concurrent_calls,
            wait,
            self.duties,
            self.emergency_in,
        )


def claimed_twice(trunks: Iterable[Trunk]) -> str | None:
    """A number of ours that two trunks claim; a call to it would have no one meaning."""
    counted = Counter(did for trunk in trunks for did in trunk.dids)
    return next((did for did, count in counted.items() if count > 1), None)
