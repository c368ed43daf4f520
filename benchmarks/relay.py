"""The reference of `signaling.py`: a bare aiohttp relay: it checks, keeps and refuses nothing.

Each frame is JSON with a "to"; it goes to that user as it is. Prints its port:  python -m benchmarks.relay
"""

import asyncio
import json

from aiohttp import WSMsgType, web

SOCKETS: dict[str, web.WebSocketResponse] = {}


async def relay(request: web.Request) -> web.WebSocketResponse:
    """One user's socket, until it closes."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    SOCKETS[request.query["user"]] = socket
    async for frame in socket:
        if frame.type is WSMsgType.TEXT:
            await SOCKETS[json.loads(frame.data)["to"]].send_str(frame.data)
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
