"""The app's side of a leg: WebRTC, as far as a bridge needs it."""

import secrets
from collections.abc import Sequence

from aiortc import RTCIceParameters

from signaling.media import Direction, Helper, MediaError, Problem
from signaling.pstn.media import app_sdp
from signaling.pstn.media.app_sdp import Formats, Means
from signaling.pstn.media.rtp import Format, Hears
from signaling.pstn.media.trunk_sdp import DIRECTIONS, REVERSED
from wephone.media import sdp
from wephone.media.candidates import CANDIDATE
from wephone.media.errors import DescriptionError
from wephone.media.sdp import Description, Setup
from wephone.media.secure import Listener, SecureLine
from wephone.media.servers import IceServer, IceSettings
from wephone.protocol.messages import Candidate

MID = "0"  # of our offers


class AppSide:
    """One app, from its first description on. `line` carries what is sent to it."""

    def __init__(self, line: SecureLine, ssrc: int) -> None:
        self.line = line
        self._ssrc = ssrc
        self._name = secrets.token_hex(8)
        self._formats: Formats = {}  # what may come and go
        self._theirs: Description | None = None
        self._direction: Direction = "sendrecv"  # as the app sees it
        self._setup: Setup = "active"
        self._session, self._version = secrets.randbits(62), 0

    # Descriptions

    async def answer(self, offer: Description, codecs: Sequence[str], *, listens: bool = True) -> str:
        """Answer the app's first offer; `listens`: somebody is to hear the app. MediaError."""
        self._formats = app_sdp.answered(app_sdp.formats(offer), codecs)
        self._setup = "passive" if sdp.setup(offer) == "active" else "active"
        await self.line.gather()
        await self._begin(offer)  # and connect once the app has this answer, when somebody is to be heard
        return self._say_answer(offer, REVERSED[self._direction] if listens else "sendonly")

    async def offer(self, codecs: Sequence[str]) -> str:
        """Our offer."""
        self._formats = app_sdp.offered(codecs)
        self._setup = "actpass"
        await self.line.gather()
        return str(self._description("sendrecv"))

    async def take_answer(self, answer: Description) -> None:
        """The app's answer to it. MediaError."""
        if self._theirs is not None:
            raise MediaError(Problem.OUT_OF_TURN, "the app's answer is here already")
        self._formats = app_sdp.agreed(self._formats, app_sdp.formats(answer))
        self._setup = "passive" if sdp.setup(answer) == "active" else "active"
        await self._begin(answer)
        self.line.connect()

    async def answer_again(self, offer: Description) -> str:
        """Answer a later offer, which may change the direction and nothing else. MediaError."""
        if self._theirs is None:
            raise MediaError(Problem.OUT_OF_TURN, "the app has not answered yet")
        app_sdp.check_same(self._theirs, offer)
        app_sdp.agreed(self._formats, app_sdp.formats(offer))
        self._learn(offer)
        return self._say_answer(offer, REVERSED[self._direction])

    async def _begin(self, theirs: Description) -> None:
        section = theirs.sections[sdp.spoken(theirs)]
        lines = (*section.lines, *theirs.session)
        password = next(line[10:] for line in lines if line.startswith("a=ice-pwd:"))
        ufrag = sdp.ufrag(theirs)
        self._learn(theirs)
        self.line.mid = section.mid or MID
        await self.line.start(
            RTCIceParameters(usernameFragment=ufrag, password=password, iceLite="a=ice-lite" in lines),
            sdp.fingerprints(theirs),
            client=self._setup == "active",
            described=[Candidate(candidate=line[2:]) for line in lines if CANDIDATE.match(line)],
        )
        await self.line.add_candidates((), "a=end-of-candidates" in lines)

    def _learn(self, theirs: Description) -> None:
        self._theirs = theirs
        self._direction = DIRECTIONS[theirs.sections[sdp.spoken(theirs)].direction]

    def _say_answer(self, offer: Description, direction: Direction) -> str:
        return str(sdp.declining(self._description(direction), offer))

    def _description(self, direction: Direction) -> Description:
        ice = self.line.connection
        means = Means(
            ice.local_username,
            ice.local_password,
            self.line.fingerprint,
            tuple(each.to_sdp() for each in ice.local_candidates),
            not ice.asks,
            self._setup,
            self.line.mid,
            self._ssrc,
            self._name,
        )
        self._version += 1
        return app_sdp.described(self._formats, direction, means, self._session, self._version)

    # What they mean

    @property
    def sends(self) -> bool:
        """Is sound to come?"""
        return self._theirs is not None and self._direction in ("sendrecv", "sendonly")

    @property
    def hears(self) -> Hears | None:
        """What it wants to get; none while it is to hear nothing."""
        if self._theirs is None or self._direction not in ("sendrecv", "recvonly"):
            return None
        payload, codec = next((p, f) for p, f in self._formats.items() if f.codec != "events")
        events = app_sdp.keys(self._formats, codec)
        return Hears(codec, payload, next(iter(events), None))

    @property
    def codec(self) -> str | None:
        """What it is spoken to in."""
        return self.hears.format.codec if self.hears else None

    def format(self, payload_type: int) -> Format | None:
        """What a packet with this type holds; none if it was not agreed on."""
        return self._formats.get(payload_type)


def app_line(listener: Listener, helpers: tuple[Helper, ...], *, mid: str, offers: bool) -> SecureLine:
    """The connection to an app. MediaError if a helper has no address."""
    servers = tuple(IceServer(each.url, each.username, each.credential) for each in helpers)
    try:
        return SecureLine(listener, IceSettings(servers), offers=offers, mid=mid)
    except DescriptionError as error:
        raise MediaError(Problem.BAD_ADDRESS, str(error)) from error


def mid_of(offer: Description) -> str:
    """The audio section's name."""
    return offer.sections[sdp.spoken(offer)].mid or MID
