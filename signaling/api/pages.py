"""The browser app and the operators' console as files: all that a browser loads comes from here, from memory.

A file is sent compressed to whoever takes gzip, and not again to whoever has it (RFC 9110 §13.1.2).
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable

from aiohttp import web

from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit

routes = Routes()

TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "wav": "audio/wav",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to be sent."""

    type: str
    body: bytes
    zipped: bytes
    tag: str


WORKER = "worker.js"
FRONT = "index.html"
CONSOLE = "console/"  # what is below such a folder is for operators, and not served to callers

operator_routes = Routes()


@cache
def everything() -> Mapping[str, Page]:
    """Every file by its path; types that browsers have no use for are not served."""
    return dict(walked(resources.files("wephone") / "web", ""))


@cache
def pages() -> Mapping[str, Page]:
    """Every file of the callers' app."""
    found = {path: page for path, page in everything().items() if CONSOLE not in path}
    worker = found.pop(WORKER)
    return {**found, WORKER: page(worker.type, shell(found) + worker.body)}


@cache
def console_pages() -> Mapping[str, Page]:
    """The console's files, and those of the app that it is made of."""
    return {path: page for path, page in everything().items() if path not in (WORKER, FRONT)}


def shell(files: Mapping[str, Page]) -> bytes:
    """What the service worker is told of the files: it is another one as soon as any of them is."""
    version = sha256("".join(f"{path} {files[path].tag}\n" for path in sorted(files)).encode()).hexdigest()[
        :16
    ]
    addresses = ["/" if path == FRONT else f"/web/{path}" for path in sorted(files)]
    return f"const SHELL = {json.dumps({'version': version, 'files': addresses})};\n".encode()


def walked(folder: Traversable, inside: str) -> list[tuple[str, Page]]:
    """The files below a folder, with their paths."""
    found: list[tuple[str, Page]] = []
    for entry in folder.iterdir():
        path = f"{inside}{entry.name}"
        kind = TYPES.get(entry.name.rpartition(".")[2])
        if entry.is_dir():
            found += walked(entry, f"{path}/")
        elif kind is not None and not entry.name.endswith(".d.ts"):
            found.append((path, page(kind, entry.read_bytes())))
    return found


def page(kind: str, body: bytes) -> Page:
    """A file with what is made of it once."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    return Page(kind, body, gzip.compress(body, 9, mtime=0), tag)


def sent(visit: Visit, found: Page | None) -> web.Response:
    """The answer with this file; Problem if there is none."""
    if found is None:
        raise Problem(404, "not_found", "there is nothing at this address")
    # It may be kept, but is asked for anew each time: modules of two versions must never meet.
    headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if found.tag in visit.request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    body = found.body
    if "gzip" in visit.request.headers.get("Accept-Encoding", "") and len(found.zipped) < len(body):
        body = found.zipped
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, headers={**headers, "Content-Type": found.type})


@routes.add("GET", "/", Rule.ANYONE, status=200, is_file=True)
async def front(visit: Visit) -> web.Response:
    """The callers' app."""
    return sent(visit, pages()[FRONT])


@routes.add("GET", "/worker.js", Rule.ANYONE, status=200, is_file=True)
async def worker(visit: Visit) -> web.Response:
    """The app's service worker: at the root, so that it may answer for every page."""
    return sent(visit, pages()[WORKER])


@routes.add("GET", "/web/{path:.+}", Rule.ANYONE, status=200, is_file=True)
async def file(visit: Visit) -> web.Response:
    """A file that the app loads."""
    return sent(visit, pages().get(visit.request.match_info["path"]))


@operator_routes.add("GET", "/", Rule.ANYONE, status=200, is_file=True)
async def console(visit: Visit) -> web.Response:
    """The operators' console."""
    return sent(visit, console_pages()[CONSOLE + FRONT])


@operator_routes.add("GET", "/web/{path:.+}", Rule.ANYONE, status=200, is_file=True)
async def console_file(visit: Visit) -> web.Response:
    """A file that the console loads."""
    return sent(visit, console_pages().get(visit.request.match_info["path"]))
