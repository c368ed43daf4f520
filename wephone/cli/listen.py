"""`wephone listen`: wait for calls and texts; answer by hand, or with --answer at once."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wephone.calls import Call
from wephone.cli import account, devices
from wephone.cli.conversation import Conversation
from wephone.cli.output import Failure, Progress, language, print_json
from wephone.cli.words import words
from wephone.client import Client
from wephone.errors import CallEnded
from wephone.events import Dial, EndReason


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "listen",
        help="wait for calls and texts",
        description="Wait for calls and texts, and show both; place calls that your account asks for by a"
        " click (POST /api/calls). Ctrl-C hangs up and ends it.",
        epilog="Exit code 0; with --once, 1 if that call was not answered or did not end by a hang-up.",
    )
    parser.add_argument("--answer", action="store_true", help="take every call at once, and place every one")
    parser.add_argument("--once", action="store_true", help="end after the first call that comes in")
    devices.add_options(parser)
    account.add_relay_option(parser)
    parser.add_argument("--json", action="store_true", help="print all that came as one JSON document, last")
    account.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Wait, ring, talk."""
    devices.check(args.play, args.record)
    return account.run(Listener(args, Progress(to_stderr=args.json), language()).listen())


class Listener:
    """A softphone that is called, one call at a time; others hear that it is busy."""

    def __init__(self, args: argparse.Namespace, progress: Progress, tongue: str) -> None:
        self._args, self._progress, self._tongue = args, progress, tongue
        self._calls: list[dict[str, Any]] = []
        self._texts: list[dict[str, Any]] = []
        self._missed: list[dict[str, Any]] = []
        self._talk: asyncio.Task[bool] | None = None

    async def listen(self) -> int:
        """Until Ctrl-C, the end of the session, or of the first call if that is all. The exit code."""
        good = True
        signing_in = account.signed_in(self._args, self._progress, self._tongue, calls=True, dials=True)
        async with signing_in as client, self._reading(client):
            self._progress.line(words("listening", self._tongue, user=client.user))
            try:
                good = await self._take_calls(client)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None
                task.uncancel()  # Ctrl-C is how this command ends
                await self._stop_talking()
        if self._args.json:
            print_json({"calls": self._calls, "texts": self._texts, "missed": self._missed})
        return 0 if good else 1

    async def _take_calls(self, client: Client) -> bool:
        async for call in client.incoming(ring=False):
            if self._is_busy():
                self._progress.note(words("busy", self._tongue, peer=call.peer))
                call.decline(EndReason.BUSY)
                continue
            self._talk = asyncio.create_task(self._converse(call), name=f"talk to {call.peer}")
            if self._args.once:
                return await self._talk
        if client.signed_out is not None:
            raise Failure(words("signed out", self._tongue, reason=client.signed_out.reason))
        return True

    def _is_busy(self) -> bool:
        return self._talk is not None and not self._talk.done()

    async def _converse(self, call: Call) -> bool:
        """Ring, answer or not, talk. True if it was answered and hung up."""
        call.ring()
        key = "rings" if call.forwarded_by is None else "rings for"
        self._progress.heading(words(key, self._tongue, peer=call.peer, whom=call.forwarded_by))
        record = numbered(self._args.record, len(self._calls) + 1)
        conversation = Conversation(call, self._progress, self._tongue)
        answering = asyncio.create_task(self._answer(call, record), name=f"answer {call.peer}")
        try:
            await conversation.hold(until_said=False)
        finally:
            answering.cancel()
            await asyncio.wait((answering,))
        return self._tell_end(conversation, record)

    def _tell_end(self, conversation: Conversation, record: Path | None) -> bool:
        conversation.tell_end()
        kept = str(record) if record is not None and conversation.answered else None
        self._calls.append({**conversation.as_json(), "recorded": kept})
        return conversation.went_well

    async def _take_dials(self, client: Client) -> None:
        """Calls that the account asks for by a click, which another device of it may take as well."""
        async for dial in client.dials():
            if self._is_busy():
                self._progress.note(words("busy for a click", self._tongue, peer=dial.to))
                continue
            self._talk = asyncio.create_task(self._dial(client, dial), name=f"call {dial.to}")

    async def _dial(self, client: Client, dial: Dial) -> bool:
        self._progress.heading(words("clicked", self._tongue, peer=dial.to))
        if not self._args.answer and not await self._wanted(client, dial):
            return False
        record = numbered(self._args.record, len(self._calls) + 1)
        source, sink, missing = devices.ends(self._args.play, record, self._tongue)
        self._progress.line(words("placing", self._tongue, peer=dial.to))
        call = client.take(dial, source=source, sink=sink)
        conversation = Conversation(call, self._progress, self._tongue, missing)
        await conversation.hold(until_said=self._args.play is not None)
        return self._tell_end(conversation, record)

    async def _wanted(self, client: Client, dial: Dial) -> bool:
        """What the person says, as long as it is asked."""
        asking = asyncio.create_task(self._asked("ask to call"), name="ask the person")
        over = asyncio.create_task(client.dial_over(dial), name="another device takes it")
        try:
            await asyncio.wait((asking, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            asking.cancel()
            await asyncio.wait((asking, over))
        if asking.cancelled():
            self._progress.note(words("click over", self._tongue, peer=dial.to))
            return False
        return asking.result()

    async def _answer(self, call: Call, record: Path | None) -> None:
        if not self._args.answer and not await self._asked():
            call.decline()
            return
        source, sink, missing = devices.ends(self._args.play, record, self._tongue)
        for line in missing:
            self._progress.note(line)
        with suppress(CallEnded):
            await call.answer(source, sink)

    async def _asked(self, question: str = "ask") -> bool:
        """What the person says; without a terminal there is nobody to ask, so it rings on."""
        pressed = asyncio.Event()
        if not sys.stdin.isatty():
            await pressed.wait()
        self._progress.note(words(question, self._tongue))
        self._progress.ring()
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin, pressed.set)
        try:
            await pressed.wait()
        finally:
            loop.remove_reader(sys.stdin)
        return sys.stdin.readline().strip() == ""

    async def _stop_talking(self) -> None:
        """A conversation that is cancelled hangs up."""
        if self._talk is not None:
            self._talk.cancel()
            await asyncio.wait((self._talk,))

    @asynccontextmanager
    async def _reading(self, client: Client) -> AsyncIterator[None]:
        """Meanwhile, show texts and missed calls, and place what is asked for."""
        work = (self._read_texts(client), self._read_missed(client), self._take_dials(client))
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _read_texts(self, client: Client) -> None:
        async for text in client.messages():
            if text.sender == client.user:
                continue  # written on another device of ours
            self._progress.line(words("text", self._tongue, peer=text.sender, text=text.text))
            self._texts.append(
                {
                    "message": text.message,
                    "seq": text.seq,
                    "from": text.sender,
                    "text": text.text,
                    "at": text.at,
                }
            )
            client.read(text)

    async def _read_missed(self, client: Client) -> None:
        async for missed in client.missed():
            at = datetime.fromtimestamp(missed.at / 1e6, UTC).astimezone()
            self._progress.line(words("missed", self._tongue, peer=missed.peer, time=f"{at:%H:%M}"))
            self._missed.append({"call": missed.call, "from": missed.peer, "at": missed.at})
            client.missed_seen(missed)


def numbered(path: Path | None, number: int) -> Path | None:
    """The file of the first call as it was given, then name-2, name-3, ..."""
    if path is None or number == 1:
        return path
    return path.with_stem(f"{path.stem}-{number}")
