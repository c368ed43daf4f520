"""The media process:  python -m signaling.pstn.media DESCRIPTOR

The server starts it, with its end of a Unix socket as an open file and the rest on stdin. `docs/media.md` has
what they say to each other. When the server closes its end, or dies, not one packet more is sent.
"""

import asyncio
import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Coroutine
from typing import Any

from signaling.logs import log_to
from signaling.media import MediaError, Problem
from signaling.pstn.media import messages
from signaling.pstn.media.bridge import Bridge
from signaling.pstn.media.messages import Answer, Asked, Message, SetLease
from signaling.pstn.media.place import Place
from wephone.media.loop import PacketLoop

log = logging.getLogger(__name__)


class Desk:
    """Reads what the server says, and answers. What concerns one leg is done one after the other."""

    def __init__(self, key: bytes, place: Place, writer: asyncio.StreamWriter) -> None:
        self._key = key
        self._writer = writer
        self._bridge = Bridge(place, lambda event: self._say(messages.told(event)))
        self._serial = 0  # of the newest lease
        self._latest: dict[str, asyncio.Task[None]] = {}  # leg -> what was last begun for it

    def _say(self, message: Message) -> None:
        self._writer.write(messages.encoded(message))

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Until the server closes its end."""
        self._say(messages.Ready())
        while line := await reader.readline():
            said = messages.read_order(line)
            if isinstance(said, SetLease):
                self._lease(said)
            elif isinstance(said, messages.Ping):
                self._say(messages.Done(number=said.number))
            elif isinstance(said, messages.AddCandidates):
                self._begin(said.leg, self._bridge.add_candidates(said.leg, said.candidates, said.end))
            else:
                self._begin(said.leg, self._answer(said))
        await self._bridge.stop()

    def _lease(self, said: SetLease) -> None:
        """At once, whatever else is going on: it may be the end."""
        right = messages.sealed(self._key, said.leg, said.until_ns, said.serial)
        if said.seal != right or said.serial <= self._serial:
            log.error("a lease of %s is not the server's, and is not obeyed", said.leg)
            return
        self._serial = said.serial
        self._bridge.lease(said.leg, said.until_ns)

    def _begin(self, leg: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._after(self._latest.get(leg), work), name=f"media {leg}")
        self._latest[leg] = task
        task.add_done_callback(lambda done: self._forget(leg, done))

    async def _after(self, before: "asyncio.Task[None] | None", work: Coroutine[Any, Any, None]) -> None:
        if before is not None:
            await asyncio.wait((before,))
        await work

    def _forget(self, leg: str, done: "asyncio.Task[None]") -> None:
        if self._latest.get(leg) is done:
            del self._latest[leg]
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("something went wrong with %s", leg, exc_info=error)

    async def _answer(self, said: Asked) -> None:
        try:
            answer = await self._do(said)
        except MediaError as error:
            log.info("refused: %s", error)
            answer = messages.Refused(number=said.number, problem=error.problem, text=str(error))
        except Exception:  # one leg must not cost all the others theirs
            log.exception("something went wrong")
            answer = messages.Refused(
                number=said.number, problem=Problem.DOWN, text="the media process could not do it"
            )
        self._say(answer)

    async def _do(self, said: Asked) -> Answer:
        bridge, number = self._bridge, said.number
        match said:
            case messages.OpenOutgoing():
                opened = await bridge.open_outgoing(said.leg, said.app_offer, said.trunk, said.helpers)
                return messages.Described(number=number, app=opened.app, trunk=opened.trunk)
            case messages.OpenIncoming():
                sdp = await bridge.open_incoming(said.leg, said.trunk_offer, said.trunk, said.helpers)
                return messages.Said(number=number, sdp=sdp)
            case messages.OpenAnnouncement():
                sdp = await bridge.open_announcement(said.leg, said.app_offer, said.helpers)
                return messages.Said(number=number, sdp=sdp)
            case messages.Describe():
                ours = await self._describe(said)
                return (
                    messages.Said(number=number, sdp=ours)
                    if ours is not None
                    else messages.Done(number=number)
                )
            case messages.OfferTrunk():
                return messages.Said(number=number, sdp=await bridge.offer_trunk(said.leg, said.direction))
            case messages.Press():
                await bridge.press(said.leg, said.digits)
            case messages.Play():
                if said.sound is None:
                    await bridge.stop_playing(said.leg, said.side)
                else:
                    await bridge.play(said.leg, said.side, said.sound, said.language)
            case messages.Count():
                return messages.Counted(number=number, statistics=await bridge.statistics(said.leg))
            case messages.Close():
                return messages.Counted(number=number, statistics=await bridge.close(said.leg))
            case messages.Ping():
                pass
        return messages.Done(number=number)

    async def _describe(self, said: messages.Describe) -> str | None:
        match said.side, said.kind:
            case "app", "offer":
                return await self._bridge.app_offered(said.leg, said.sdp or "")
            case "app", "answer":
                return await self._bridge.app_answered(said.leg, said.sdp or "")
            case "trunk", "offer":
                return await self._bridge.trunk_offered(said.leg, said.sdp)
            case _, kind:
                await self._bridge.trunk_answered(said.leg, said.sdp or "", early=kind == "early")
        return None


async def run(end: socket.socket, key: bytes, place: Place) -> None:
    """Until the server closes its end."""
    reader, writer = await asyncio.open_unix_connection(sock=end, limit=messages.LONGEST)
    desk = Desk(key, place, writer)
    gc.freeze()  # what is there now stays: no collection looks at it again
    try:
        await desk.serve(reader)
    except ConnectionError:
        pass  # the server died while it spoke
    finally:
        writer.close()


def main(descriptor: int) -> None:
    """The process. It ignores the signals that end a server: the server closes the socket when it is done."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    os.umask(0o077)
    faulthandler.enable()  # libopus and libsrtp are C: if one of them crashes, it is known where
    log_to()
    logging.getLogger("aioice").setLevel(logging.WARNING)  # it tells of every pair of addresses
    key, place = messages.read_beginning(sys.stdin.buffer.readline())
    with asyncio.Runner(loop_factory=PacketLoop) as runner:
        runner.run(run(socket.socket(fileno=descriptor), key, place))


if __name__ == "__main__":
    main(int(sys.argv[1]))
