"""What a person sees who opens the server's address: that it is there, and how to use it."""

from aiohttp import web

from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit

routes = Routes()

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>WePhone</title>
</head>
<body>
<h1>WePhone</h1>
<p>This calling service is up. Call somebody from a terminal:</p>
<pre>wephone call NAME --server {url} --user YOU</pre>
<p lang="zh-CN">本通话服务正在运行。请在终端中呼叫对方，命令如上。</p>
<p><a href="/api/openapi.json">HTTP API</a> &middot; <a href="/api/protocol.json">WebSocket messages</a></p>
</body>
</html>
"""


@routes.add("GET", "/", Rule.ANYONE, status=200)
async def front(visit: Visit) -> web.Response:
    """A page for a person who opens the address."""
    # The address that was set or bound, never the one that the request claims.
    settings = visit.parts.settings
    transport = visit.request.transport
    host, port = transport.get_extra_info("sockname")[:2] if transport is not None else settings.listen
    url = settings.public_url or f"http://{type(settings.listen)(host, port)}"
    return web.Response(text=PAGE.format(url=url), content_type="text/html")
