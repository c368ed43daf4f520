"""Headers of every answer: what a browser must not do with it."""

from aiohttp import web

# Our pages load only what we serve; their sound needs blob: and data:, their socket our own origin.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob: data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(self), display-capture=(self), geolocation=()",
    # Heard over HTTPS alone (RFC 6797 §8.1); over HTTP browsers ignore it.
    "Strict-Transport-Security": "max-age=63072000",
}


async def add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """aiohttp's signal before an answer's head leaves, whoever made the answer."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "wephone"
