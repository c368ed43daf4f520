"""The files of the browser app, as browsers ask for them."""

import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.signaling.api.conftest import World

VENDOR = Path(__file__).parents[3] / "wephone" / "web" / "vendor"


async def test_the_address_shows_the_app(world: World) -> None:
    async with world.http.get(f"{world.callers}/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert "WePhone" in await answer.text()
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_a_file_comes_compressed_and_once(world: World) -> None:
    url = f"{world.callers}/web/vendor/preact.js"
    raw = {"Accept-Encoding": "gzip"}
    async with world.http.get(url, headers=raw) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Cache-Control"] == "no-cache"
        assert await answer.read() == (VENDOR / "preact.js").read_bytes()
        tag = answer.headers["ETag"]
        assert int(answer.headers["Content-Length"]) < len(gzip.compress(await answer.read(), 1))
    async with world.http.get(url, headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with world.http.get(url, headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["web/nothing.js", "web/../app.py", "web/%2e%2e/__init__.py", "web/vendor", "web/vendor/vendor.json"],
)
async def test_nothing_else_is_served(world: World, path: str) -> None:
    answer = await world.stranger().get(f"/{path}")
    assert (answer.status, answer.code) == (404, "not_found")


async def test_a_page_of_many_files_is_one_visit(world: World) -> None:
    for _ in range(500):
        async with world.http.get(f"{world.callers}/web/vendor/icons.js") as answer:
            assert answer.status == 200


def test_what_others_wrote_is_what_its_list_says() -> None:
    listed = json.loads((VENDOR / "vendor.json").read_text())
    made = {str(path.relative_to(VENDOR)) for kind in ("js", "css") for path in VENDOR.rglob(f"*.{kind}")}
    assert made == set(listed)
    licences = (VENDOR / "LICENSES.txt").read_text()
    for name, about in listed.items():
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == about["sha256"], name
        for package in about["of"]:
            assert package["license"] in ("MIT", "ISC", "Apache-2.0")
            assert f"=== {package['name']}\n" in licences
