"""The references of `signaling.py`: a bare aiohttp relay: it checks, keeps and refuses nothing.

Each frame is JSON with a "to"; it goes to that user as it is. Prints its port:  python -m benchmarks.relay
With `--cork` the frames of one turn of the loop leave in one write, which is the least aiohttp can cost.
"""

import asyncio
import json
import sys

from aiohttp import WSMsgType, web

from signaling.api.outbox import Outbox

CORKED = "--cork" in sys.argv
SOCKETS: dict[str, web.WebSocketResponse] = {}
OUTBOXES: dict[str, Outbox] = {}


async def relay(request: web.Request) -> web.WebSocketResponse:
    """One user's socket, until it closes."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    user = request.query["user"]
    SOCKETS[user] = socket
    assert request.transport is not None
    OUTBOXES[user] = Outbox(request.transport, lambda: None)
    async for frame in socket:
        if frame.type is not WSMsgType.TEXT:
            continue
        to = json.loads(frame.data)["to"]
        if CORKED:
            OUTBOXES[to].send(frame.data.encode())
        else:
            await SOCKETS[to].send_str(frame.data)
    return socket


async def serve() -> None:
    """Until killed."""
    app = web.Application()
    app.router.add_get("/", relay)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # for whoever started it
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())
