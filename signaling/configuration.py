"""Settings from where they come: a TOML file, and WEPHONE_* of the environment, which wins."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from signaling.settings import Endpoint, Settings
from wephone.protocol.codec import shortened, wrong

PREFIX = "WEPHONE_"

# Variables with our prefix that other programs of the project read.
ELSEWHERE = frozenset(
    [
        "CONFIG",
        "URL",
        "USER",
        "TOKEN",
        "OPERATOR",
        "OPERATOR_TOKEN",
        "LONG",
        "SEED",
        "VENV",
        "SETUP_LOCKED",
        "CHROMIUM",
        "FIREFOX",
        "DOMAIN",
        "UPSTREAM",
        "HTTP_PORT",
        "HTTPS_PORT",
    ]
)

TRUNK_PASSWORD = re.compile(rf"{PREFIX}TRUNK_[A-Z][A-Z0-9_]*_PASSWORD")  # beside the file of trunks


class SettingsError(Exception):
    """The settings cannot be used; one sentence that names the setting, its source and what is wrong."""


def load(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this file (or of WEPHONE_CONFIG) and of the environment. SettingsError if unusable."""
    environment = os.environ if environment is None else environment
    if file is None and environment.get("WEPHONE_CONFIG"):
        file = Path(environment["WEPHONE_CONFIG"])
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if file is not None:
        for name, value in read_toml(file).items():
            known(name, f"in {file}")
            values[name], sources[name] = value, f"`{name}` in {file}"
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable.removeprefix(PREFIX) in ELSEWHERE:
            continue
        if TRUNK_PASSWORD.fullmatch(variable):
            continue
        if variable != variable.upper():
            raise SettingsError(
                f"{shortened(variable)} in the environment is not in capitals: write `{variable.upper()}`"
            )
        name = variable.removeprefix(PREFIX).lower()
        known(name, f"({variable} in the environment)")
        if text or "secret" in name:  # an empty variable is one that is not set; an empty secret is a mistake
            values[name], sources[name] = text, variable
    return made(values, sources)


def made(values: Mapping[str, Any], sources: Mapping[str, str] | None = None) -> Settings:
    """The settings with these values. SettingsError names the first that cannot be, and where it is from."""
    for name in values:
        known(name, "here")
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=True)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    sentence = wrong(first)
    if not name:
        raise SettingsError(f"settings: {sentence}")
    raise SettingsError(f"{(sources or {}).get(name, f'`{name}`')}: {sentence}")


def read_toml(file: Path) -> dict[str, Any]:
    """The file's values by name."""
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}") from None


def known(name: str, where: str) -> None:
    """SettingsError with the nearest name there is, unless this is one."""
    if name in Settings.model_fields:
        return
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    guess = f": did you mean `{close[0]}`?" if close else ""
    raise SettingsError(f"there is no setting {shortened(name)} {where}{guess}")


class Setting(NamedTuple):
    """One setting, for people."""

    name: str
    variable: str
    default: str
    text: str


def listed() -> list[Setting]:
    """Every setting there is, as documents and `wephone serve --settings` show them."""
    return [
        Setting(name, f"{PREFIX}{name.upper()}", default_shown(name), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def default_shown(name: str) -> str:
    """A default as it would stand in the file."""
    if name == "data":
        return '"~/.local/share/wephone"'
    match Settings.model_fields[name].default:
        case None:
            return "(none)"
        case bool() as flag:
            return str(flag).lower()
        case int() | float() as number:
            return f"{number:g}"
        case Endpoint() as endpoint:
            return f'"{endpoint}"'
        case tuple() as values:
            return "[" + ", ".join(f'"{value}"' for value in values) + "]"
        case other:
            return f'"{other}"'
