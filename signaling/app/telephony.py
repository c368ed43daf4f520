"""The telephone network of a server that has trunks, and what carries its sound."""

import logging
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

from signaling.api.visit import Parts
from signaling.app.errors import StartError
from signaling.media import Listener, MediaBackend, MediaError
from signaling.ports.clock import Clock
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.media.janus import JanusBackend
from signaling.pstn.media.janus_line import JanusPlace
from signaling.pstn.media.place import Place as MediaPlace
from signaling.pstn.network import Network
from signaling.pstn.sip.tls import server_context
from signaling.settings import Settings
from signaling.turn import helpers

Sound = Callable[[Listener], MediaBackend]

log = logging.getLogger(__name__)


async def begin_telephony(settings: Settings, parts: Parts, network: Network, stack: AsyncExitStack) -> None:
    """Be there for trunks. Its end comes before that of calls, which hear of it; StartError."""
    sound = network.sound
    if isinstance(sound, EmbeddedBackend | JanusBackend):
        try:
            await sound.start()
        except MediaError as error:
            raise StartError(f"media: {error}") from None
        stack.push_async_callback(sound.stop)
        parts.metrics.watch("media_down", "1 while nothing can carry sound.", lambda: int(not sound.is_there))
    try:
        await network.start(parts.exchange.switch, settings.sip_listen, settings.sip_tls_listen)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        places = " or ".join(str(place) for place in (settings.sip_listen, settings.sip_tls_listen) if place)
        raise StartError(f"sip_listen: cannot listen on {places}: {why}") from None
    stack.push_async_callback(network.close)
    stack.callback(parts.licence.register.on_change(lambda taken: network.reconsider()))
    parts.metrics.watch("trunks", "Trunks that are set up.", lambda: len(network.lines))
    parts.metrics.watch("trunks_down", "Trunks that cannot be reached.", network.down)
    parts.metrics.watch("telephone_legs", "Telephone legs that are at work.", network.at_work)


def sound_of(settings: Settings, clock: Clock) -> Sound | None:
    """What carries the sound of telephone calls, by the settings."""
    match settings.media:
        case "none":
            return None
        case "embedded":
            return _embedded(settings, clock)
        case "janus":
            return _janus(settings)


def _embedded(settings: Settings, clock: Clock) -> Sound:
    first, _, last = settings.rtp_ports.partition("-")
    place = MediaPlace(
        address=str(settings.rtp_address),
        told=None if settings.rtp_told is None else str(settings.rtp_told),
        first_port=int(first),
        last_port=int(last),
        announcements=None if settings.announcements is None else str(settings.announcements),
    )
    return partial(EmbeddedBackend, place, helpers=lambda: helpers(settings, clock.now().utc_us // 1_000_000))


def _janus(settings: Settings) -> Sound:
    assert settings.janus_secret is not None  # the settings see to it
    secret = settings.janus_secret.get_secret_value()
    told = None if settings.rtp_told is None else str(settings.rtp_told)
    return partial(JanusBackend, JanusPlace(settings.janus_url, settings.janus_admin_url, secret, told))


def sip_tls(settings: Settings) -> ssl.SSLContext:
    """What carriers' certificates are checked by; StartError if that cannot be read."""
    try:
        return ssl.create_default_context(cafile=settings.sip_tls_ca)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StartError(f"sip_tls_ca: cannot read {settings.sip_tls_ca}: {why}") from None


def own_sip_tls(settings: Settings) -> ssl.SSLContext | None:
    """What carriers that connect to us know us by; StartError if it cannot be used."""
    certificate, key = settings.sip_tls_certificate, settings.sip_tls_key
    if certificate is None or key is None:
        return None
    try:
        return server_context(certificate, key)
    except ssl.SSLError as error:
        raise StartError(f"{certificate} and {key} are no certificate with its key: {error.reason}") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StartError(f"sip_tls_certificate: cannot read {certificate} and {key}: {why}") from None
