"""The server's settings: one frozen model. `configuration.py` reads it from a file and the environment."""

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from yarl import URL

from licensing.case import BASELINE
from licensing.facts import ABROAD
from licensing.places import country_fault, part_fault
from licensing.signing import KeyFormatError, read_public_key

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SHORTEST_SECRET = 16  # characters; `openssl rand -hex 32` gives 64
LONGEST_TURN = 300  # seconds: a disabled account keeps its relay for so long at most
DAY = 24 * 3600
# Of Chrome and its kin, Firefox, Edge, Safari.
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",
    "*.push.apple.com",
)

# What examples and manuals put where a secret belongs is made of these, in whatever order and however often.
PLACEHOLDERS = re.compile(
    r"(?=.*[a-z])(?:a|admin|an|auth|change|coturn|default|demo|example|here|insecure|insert|key|me|my|none|null|passwd|password|please"
    r"|placeholder|put|replace|sample|secret|shared|static|super|test|the|this|todo|token|turn|use|value|wephone|with|x+"
    r"|your|[0-9])+"
)


class Endpoint(NamedTuple):
    """Where to listen: a host and a port, 0 for any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Can only this machine reach it?"""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def endpoint(value: object) -> object:
    """`127.0.0.1:8080`, `[::1]:8080`, `:8080` for all addresses."""
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise ValueError("must be a host and a port, as in `127.0.0.1:8080`")
    bare = host.removeprefix("[").removesuffix("]")
    if ":" in bare and (bare == host or not _is_address(bare)):
        raise ValueError("must have an IPv6 address in brackets, as in `[::1]:8080`")
    return Endpoint(bare or "0.0.0.0", int(port))


def spelled(pattern: str, spelling: str) -> AfterValidator:
    """Text of this pattern, or ValueError that says in words what it must be."""

    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {spelling}, not {text[:64]!r}")
        return text

    return AfterValidator(checked)


def placed(fault: Callable[[str], str | None]) -> AfterValidator:
    """A code of a place in which `fault` finds nothing wrong, or ValueError."""

    def checked(code: str) -> str:
        if (wrong := fault(code)) is not None:
            raise ValueError(wrong)
        return code

    return AfterValidator(checked)


def listed(value: object) -> object:
    """A list, or text with commas between its parts, as the environment has it."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def origin(text: str) -> str:
    """Scheme, host and port as browsers write them (RFC 6454 §6.2), or ValueError."""
    try:
        url = URL(text)
        valid = url.scheme in ("http", "https") and bool(url.host) and url.user is None
    except ValueError:
        valid = False
    if not valid or (url.path not in ("", "/")) or url.query_string or url.fragment:
        raise ValueError("must be an address without path, as in `https://phone.example.org`")
    return str(url.origin())


def is_placeholder(text: str) -> bool:
    """Is it what a manual or an example has in a secret's place?"""
    plain = re.sub(r"[\W_]", "", text.lower())
    begins = plain.startswith(("changeme", "changethis", "replaceme", "yoursecret"))
    return begins or PLACEHOLDERS.fullmatch(plain) is not None


def database_url(text: str) -> str:
    """Where the rows are; its password, if it has one, must be real."""
    if text.startswith("sqlite:///"):
        return text
    try:
        url = URL(text)
    except ValueError:
        raise ValueError("must be sqlite:///PATH or postgresql://...") from None
    if url.scheme not in ("postgresql", "postgres"):
        raise ValueError("must be sqlite:///PATH or postgresql://...")
    password = url.password or url.query.get("password")
    if password is not None and is_placeholder(password):
        raise ValueError("has a placeholder for a password: make one of your own")
    return text


def real_secret(value: SecretStr) -> SecretStr:
    """The secret, unless it is empty, short, one character over and over, or a manual's example."""
    text = value.get_secret_value()
    if is_placeholder(text):
        raise ValueError("is a placeholder: make a secret of your own, as with `openssl rand -hex 32`")
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"has fewer than {SHORTEST_SECRET} characters: make one with `openssl rand -hex 32`")
    if len(set(text)) < 6:
        raise ValueError("repeats the same few characters: make one with `openssl rand -hex 32`")
    return value


def turn_url(text: str) -> str:
    """A STUN or TURN address (RFC 7064, RFC 7065)."""
    scheme, colon, rest = text.partition(":")
    if scheme not in ("stun", "stuns", "turn", "turns") or not colon or not rest or rest.startswith("//"):
        raise ValueError("must be an address such as `turn:relay.example.org:3478?transport=udp`")
    return text


def webhook_url(text: str) -> str:
    """Where to post: by HTTPS, unless it is this machine."""
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or url.user is not None or url.fragment:
        raise ValueError("must be an address such as `https://ops.example.org/wephone`")
    if url.scheme == "http" and not Endpoint(url.host, 0).is_loopback:
        raise ValueError("must be https:// unless it is this machine")
    return text


def push_service(text: str) -> str:
    """A host, reached by HTTPS at its usual port, `*.` before it for all below it; or an origin."""
    if "://" in text:
        return origin(webhook_url(text))
    if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+", text):
        raise ValueError(
            "must be a host such as `fcm.googleapis.com` or `*.push.apple.com`, or https://HOST:PORT"
        )
    return text


def public_key(text: str) -> str:
    """A key that signatures are checked by."""
    try:
        return str(read_public_key(text.strip()))
    except KeyFormatError as error:
        raise ValueError(str(error)) from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def data_folder() -> Path:
    """Where data live if nothing is said (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_DATA_HOME") or ""
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "wephone"


Listen = Annotated[Endpoint, BeforeValidator(endpoint)]
Origin = Annotated[str, AfterValidator(origin)]
DatabaseUrl = Annotated[str, AfterValidator(database_url)]
Secret = Annotated[SecretStr, AfterValidator(real_secret)]
Country = Annotated[str, placed(country_fault)]  # ISO 3166-1 alpha-2
Destination = Annotated[str, placed(lambda code: None if code == ABROAD else country_fault(code))]
PushService = Annotated[str, AfterValidator(push_service)]
WebhookUrl = Annotated[str, AfterValidator(webhook_url)]
PublicKeys = Annotated[
    tuple[Annotated[str, AfterValidator(public_key)], ...], BeforeValidator(listed), Field(max_length=16)
]
IceUrls = Annotated[
    tuple[Annotated[str, AfterValidator(turn_url)], ...], BeforeValidator(listed), Field(max_length=16)
]
JanusUrl = Annotated[str, spelled(r"wss?://[!-~]{3,250}", "an address, as in `ws://127.0.0.1:8188`")]
Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseModel):
    """Every setting with its default. In a file by its name, in the environment as WEPHONE_NAME."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    listen: Listen = Field(Endpoint("127.0.0.1", 8080), description="where callers connect: HOST:PORT")
    operator_listen: Listen = Field(
        Endpoint("127.0.0.1", 8081),
        description="where operators connect; beyond the loopback only with operator_networks or mutual TLS",
    )
    operator_networks: Annotated[tuple[Network, ...], BeforeValidator(listed)] = Field(
        (), description="private networks from which the operators' listener answers"
    )
    operator_tls_certificate: Path | None = Field(None, description="PEM file for the operators' listener")
    operator_tls_key: Path | None = Field(None, description="PEM file of the certificate's key")
    operator_tls_client_ca: Path | None = Field(
        None, description="PEM file: operators' own certificates have to be signed by this authority"
    )
    data: Path = Field(default_factory=data_folder, description="folder of everything the server keeps")
    database: DatabaseUrl | None = Field(
        None,
        repr=False,
        description="sqlite:///PATH or postgresql://...; if none, wephone.db in the data folder",
    )
    database_owner: str | None = Field(
        None,
        description="PostgreSQL: address with the role that migrates, if another than the one that works",
    )
    node: Annotated[
        str, spelled(r"[a-z0-9][a-z0-9-]{0,31}", "at most 32 of a to z, 0 to 9 and `-`, which is not first")
    ] = Field("local", description="this server's name in the rows that it owns")

    public_url: Origin | None = Field(None, description="the address that callers type, behind a TLS front")
    origins: Annotated[tuple[Origin, ...], BeforeValidator(listed)] = Field(
        (), description="further web origins whose pages may use the API and the socket"
    )
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(listed)] = Field(
        (), description="networks of TLS fronts, whose X-Forwarded-For is believed"
    )

    registration: Literal["auto", "open", "closed"] = Field(
        "auto",
        description="may anybody open an account? `auto`: while only this machine can connect. "
        "An invitation always lets one in",
    )
    session_days: Days = Field(30, description="days until a sign-in has to be repeated")
    limits: bool = Field(True, description="keep to the limits for each account and address")

    heartbeat: Seconds = Field(
        20.0, description="seconds between pings; two unanswered ones end a connection"
    )
    resume: Seconds = Field(60.0, description="seconds in which a lost connection can be resumed")
    drain: Annotated[float, Field(ge=0, le=3600)] = Field(
        30.0, description="seconds that running calls are waited for when the server is asked to stop"
    )

    turn_urls: IceUrls = Field((), description="relays, as `turn:HOST:PORT?transport=udp`")
    turn_secret: Secret | None = Field(None, description="the secret shared with coturn (static-auth-secret)")
    turn_secret_file: Path | None = Field(None, description="a file with that secret")
    turn_lifetime: Annotated[int, Field(ge=30, le=LONGEST_TURN)] = Field(
        LONGEST_TURN, description="seconds that a relay's credentials are good for"
    )
    stun_urls: IceUrls = Field((), description="STUN servers, as `stun:HOST:PORT`")

    push_services: Annotated[tuple[PushService, ...], BeforeValidator(listed), Field(max_length=64)] = Field(
        PUSH_SERVICES,
        description="push services of browsers that may be asked to wake a device; none: no device is woken",
    )
    push_key_file: Path | None = Field(
        None,
        description="PEM file of the P-256 key that push services know this server by; "
        "if none, push-key.pem in the data folder",
    )
    push_contact: (
        Annotated[str, spelled(r"(mailto:|https://)[!-~]{3,250}", "mailto:... or https://...")] | None
    ) = Field(
        None, description="where push services may complain: mailto:... or https://...; if none, public_url"
    )

    profiles: Names = Field(
        ("baseline",),
        description="`baseline` judges alone. Otherwise those named here judge every call, and so "
        "do those of homes and of the countries of its ends",
    )
    profiles_folder: Path | None = Field(
        None,
        description="folder of your own profiles of law, CODE.json, watched; one takes the place of the one "
        "that comes with WePhone under its code",
    )
    clock_require_sync: bool = Field(
        False,
        description="refuse telephone calls while the kernel says that the clock is not synchronised "
        "(Linux; by chrony, ntpd or systemd-timesyncd)",
    )
    destination_only: Annotated[tuple[Destination, ...], BeforeValidator(listed)] = Field(
        (), description="countries without a profile that may be called all the same; XX: withheld callers"
    )
    reading: Literal["conservative", "permissive"] = Field(
        "conservative", description="how the law is read where it can be read in two ways"
    )
    legal_entity: str | None = Field(None, description="the operator's name, as permits have it")
    seat: Annotated[str, placed(part_fault)] | None = Field(
        None, description="where the operator has its seat: ISO 3166-2"
    )
    homes: Annotated[tuple[Country, ...], BeforeValidator(listed)] = Field(
        (), description="countries where the operator is at home: ISO 3166-1 alpha-2"
    )
    equipment_in: Annotated[tuple[Country, ...], BeforeValidator(listed), Field(min_length=1)] | None = Field(
        None, description="countries of all servers and relays; if none, it counts as not stated"
    )
    offer_to: Literal["public", "closed_group", "own_organisation"] = Field(
        "public", description="to whom the service is offered"
    )
    offer_charged: bool | None = Field(
        None, description="is the service paid for? Recorded with each decision, and decides nothing"
    )

    trunks: Path | None = Field(
        None, description="the file of trunks; if none, no telephone can be called or call"
    )
    media: Literal["none", "embedded", "janus"] = Field(
        "none", description="what carries the sound of telephone calls; without it they are refused"
    )
    janus_url: JanusUrl = Field("ws://127.0.0.1:8188", description="where Janus is asked to carry sound")
    janus_admin_url: JanusUrl = Field("ws://127.0.0.1:7188", description="where Janus is asked for figures")
    janus_secret: Secret | None = Field(None, description="the secret shared with Janus, for both")
    janus_secret_file: Path | None = Field(None, description="a file with that secret")
    sip_listen: Listen = Field(
        Endpoint("0.0.0.0", 5060), description="where trunks reach us over UDP and TCP, if there are any"
    )
    sip_tls_listen: Listen | None = Field(None, description="where trunks reach us over TLS; none: nowhere")
    sip_tls_certificate: Path | None = Field(None, description="PEM file, for sip_tls_listen: with its chain")
    sip_tls_key: Path | None = Field(None, description="PEM file of that certificate's key")
    rtp_address: Address = Field(
        ipaddress.IPv4Address("127.0.0.1"), description="the address of ours that trunks' sound comes to"
    )
    rtp_told: Address | None = Field(None, description="the address that trunks are told of, if another")
    rtp_ports: Annotated[
        str, spelled(r"[1-9][0-9]{3,4}-[1-9][0-9]{3,4}", "two ports, as in `20000-21999`")
    ] = Field("20000-21999", description="the first and the last port for trunks' sound")
    announcements: Path | None = Field(None, description="a folder with your own recordings of what is told")
    spoken_refusals: Literal["off", "en", "zh-CN"] = Field(
        "off",
        description="tell who dials a number aloud, too, that the call is refused: in this language to those "
        "whose client names none",
    )
    sip_tls_ca: Path | None = Field(
        None, description="PEM file: authorities of carriers' certificates; if none, those of the system"
    )

    checkpoint_folder: Path | None = Field(
        None,
        description="a folder, best of another machine, into which each signed checkpoint is also put",
    )

    permit_file: Path | None = Field(
        None, description="the signed file of permits; if none, permits.json in the data folder"
    )
    permit_file_keys: PublicKeys = Field(
        (), description="public keys of those who may sign it, each of one person (`wephone permit key`)"
    )
    warning_webhook: WebhookUrl | None = Field(
        None, description="where to post warnings before permits end: https://..., or this machine"
    )
    warning_webhook_secret: Secret | None = Field(None, description="the secret that signs what is posted")
    warning_webhook_secret_file: Path | None = Field(None, description="a file with that secret")

    on_loss_suspended: Annotated[int, Field(ge=0, le=60)] = Field(
        60, description="seconds that a running call keeps when its permit is suspended; 0 ends it at once"
    )
    on_loss_revoked: Annotated[int, Field(ge=0, le=30)] = Field(
        30, description="the same when its permit is revoked"
    )
    on_loss_expired: Annotated[int, Field(ge=0, le=900)] = Field(
        900, description="the same when its permit expires"
    )
    on_loss_toggled_off: Annotated[int, Field(ge=0, le=60)] = Field(
        60, description="the same when such calls are switched off"
    )

    keep_texts_days: Days = Field(365, description="days that texts are kept")
    keep_calls_days: Days = Field(365, description="days that records of calls are kept")
    keep_sessions_days: Days = Field(30, description="days that expired sessions and invitations are kept")
    keep_devices_days: Days = Field(
        365, description="days that a device which does not connect is remembered, at least a session's"
    )
    keep_clear_days: Days = Field(
        180, description="days that names and numbers of the journal are kept in clear"
    )
    retention_at: Annotated[str, spelled(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time, as in `03:17`")] = Field(
        "03:17", description="when what is too old is deleted: HH:MM, UTC"
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is logged")

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: Any) -> Any:
        """A secret's file in place of the secret."""
        if not isinstance(values, dict):
            return values
        for name in ("turn_secret", "janus_secret", "warning_webhook_secret"):
            if not (path := values.get(f"{name}_file")):
                continue
            if values.get(name):
                raise ValueError(f"{name} and {name}_file are both given")
            try:
                values = {**values, name: SecretStr(Path(path).read_text().strip())}
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or error
                raise ValueError(f"{name}_file `{path}` cannot be read: {why}") from None
        return values

    @model_validator(mode="after")
    def _together(self) -> Self:
        if BASELINE in self.profiles and len(self.profiles) > 1:
            raise ValueError(f"profiles: `{BASELINE}` judges alone, so it cannot be named with others")
        if any(url.startswith("turn") for url in self.turn_urls) and self.turn_secret is None:
            raise ValueError("turn_urls need turn_secret or turn_secret_file")
        if self.media == "janus" and self.janus_secret is None:
            raise ValueError("media `janus` needs janus_secret or janus_secret_file")
        if self.warning_webhook is not None and self.warning_webhook_secret is None:
            raise ValueError("warning_webhook needs warning_webhook_secret or warning_webhook_secret_file")
        tls = (self.operator_tls_certificate, self.operator_tls_key, self.operator_tls_client_ca)
        if any(tls) and not all(tls):
            raise ValueError(
                "operator_tls_certificate, operator_tls_key and operator_tls_client_ca go together"
            )
        sip_tls = (self.sip_tls_listen, self.sip_tls_certificate, self.sip_tls_key)
        if any(sip_tls) and not all(sip_tls):
            raise ValueError("sip_tls_listen, sip_tls_certificate and sip_tls_key go together")
        if not self.operator_listen.is_loopback and not all(tls) and not self.operator_networks:
            raise ValueError(
                f"operator_listen `{self.operator_listen}` is open to others: "
                "set operator_networks or the three operator_tls_ settings"
            )
        return self

    @property
    def database_url(self) -> str:
        """Where the rows are."""
        return self.database or f"sqlite:///{self.data / 'wephone.db'}"

    @property
    def permit_file_path(self) -> Path:
        """Where a signed file of permits may be dropped."""
        return self.permit_file or self.data / "permits.json"

    @property
    def push_key_path(self) -> Path:
        """Where the key lies that push services know this server by."""
        return self.push_key_file or self.data / "push-key.pem"

    @property
    def operator_socket(self) -> Path:
        """The Unix socket by which commands on this machine reach the running server."""
        return self.data / "operator.sock"

    @property
    def registration_open(self) -> bool:
        """May anybody who can connect open an account?"""
        match self.registration:
            case "open":
                return True
            case "closed":
                return False
            case "auto":
                # A front on this machine makes a loopback listener public.
                return self.listen.is_loopback and self.public_url is None and not self.trusted_proxies
