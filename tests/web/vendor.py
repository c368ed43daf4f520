"""Makes wephone/web/vendor from the packages that tests/web/package.json pins:  scripts/vendor

`vendor.json` says of each file what it is made of, under which licence, and its SHA-256.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
VENDOR = HERE.parents[1] / "wephone" / "web" / "vendor"

PREACT = """
import { h } from "preact";
import htm from "htm";
export { Component, Fragment, createContext, h, render } from "preact";
export { useCallback, useContext, useEffect, useLayoutEffect, useMemo, useReducer } from "preact/hooks";
export { useRef, useState } from "preact/hooks";
export const html = htm.bind(h);
"""
SHA256 = 'export { sha256 } from "@noble/hashes/sha2.js";'
UPLOT = 'export { default as uPlot } from "uplot";'
PHONE_NUMBERS = 'export { AsYouType, parsePhoneNumberFromString } from "libphonenumber-js/min";'
ICONS = (
    *("arrow-left", "camera", "chevron-right", "circle-alert", "circle-check", "copy", "delete", "ellipsis"),
    *("globe", "grid-3x3", "headphones", "info", "key-round", "lock", "log-out", "message-circle", "mic"),
    *("mic-off", "monitor", "moon", "pause", "phone", "phone-forwarded", "phone-incoming", "phone-missed"),
    *("phone-off", "phone-outgoing", "play", "plus", "refresh-cw", "search", "send", "settings"),
    *("shield-check", "smartphone", "sun", "trash-2", "user", "user-plus", "user-x", "users", "video"),
    *("video-off", "volume-2", "wifi-off", "x", "check", "check-check", "clock", "bell", "bell-off"),
)
# The console's own, apart: callers do not load them.
CONSOLE_ICONS = (
    *("activity", "file-check", "flask-conical", "gauge", "list-checks", "menu", "toggle-right", "link"),
    *("download", "triangle-alert", "octagon-x", "pencil"),
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One file of the app, from these packages."""

    file: str
    source: str
    packages: tuple[str, ...]


BUNDLES = (
    Bundle("preact.js", PREACT, ("preact", "htm")),
    Bundle("sha256.js", SHA256, ("@noble/hashes",)),
    Bundle("phone-numbers.js", PHONE_NUMBERS, ("libphonenumber-js",)),
    Bundle("console/uplot.js", UPLOT, ("uplot",)),
)

COPIES = {"console/uplot.css": "uplot/dist/uPlot.min.css"}  # as they are, from the package of this name


def bundled(source: str) -> bytes:
    """What esbuild makes of a module that imports packages."""
    # The program itself: what npm puts beside it needs a Node.js of the system.
    [esbuild] = MODULES.glob("@esbuild/*/bin/esbuild")
    command = [str(esbuild), "--bundle", "--minify", "--format=esm", "--legal-comments=none"]
    return subprocess.run(command, input=source.encode(), cwd=HERE, check=True, stdout=subprocess.PIPE).stdout


def icons(names: tuple[str, ...]) -> bytes:
    """Lucide's drawings of these names: by name, what stands inside the `<svg>`."""
    drawn = {}
    for name in sorted(names):
        svg = (MODULES / "lucide-static" / "icons" / f"{name}.svg").read_text()
        inside = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", svg, flags=re.DOTALL)
        drawn[name] = " ".join(inside.split())
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(inside)}" for name, inside in drawn.items())
    return f"/** @type {{Record<string, string>}} */\nexport const icons = {{\n{lines},\n}};\n".encode()


def described(package: str) -> dict[str, str]:
    """Name, version and licence of a package that is installed."""
    about = json.loads((MODULES / package / "package.json").read_text())
    return {key: about[key] for key in ("name", "version", "license")}


def licence_text(package: str) -> str:
    """The licence as the package carries it."""
    names = ("LICENSE", "LICENSE.md", "LICENSE.txt")
    return next(
        (MODULES / package / name).read_text() for name in names if (MODULES / package / name).exists()
    )


def make() -> dict[str, bytes]:
    """Every file of the folder that is made, by name."""
    drawings = {"icons.js": icons(ICONS), "console/icons.js": icons(CONSOLE_ICONS)}
    copies = {name: (MODULES / path).read_bytes() for name, path in COPIES.items()}
    files = {bundle.file: bundled(bundle.source) for bundle in BUNDLES} | drawings | copies
    packages = {bundle.file: bundle.packages for bundle in BUNDLES}
    packages |= dict.fromkeys(drawings, ("lucide-static",))
    packages |= {name: (path.partition("/")[0],) for name, path in COPIES.items()}
    about = {
        name: {"sha256": sha256(body).hexdigest(), "of": [described(package) for package in packages[name]]}
        for name, body in sorted(files.items())
    }
    used = sorted({package for several in packages.values() for package in several})
    licences = "\n\n".join(f"=== {package}\n\n{licence_text(package).strip()}" for package in used)
    files["vendor.json"] = (json.dumps(about, indent=2) + "\n").encode()
    files["LICENSES.txt"] = (licences + "\n").encode()
    return files


if __name__ == "__main__":
    for name, body in make().items():
        (VENDOR / name).write_bytes(body)
