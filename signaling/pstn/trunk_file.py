"""The operator's file of trunks, and their passwords from where secrets are kept."""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from signaling.pstn.sip.digest import Credentials
from signaling.pstn.trunk import NAME, NAME_SPELLING, CallerId, Limits, Numbers, Trunk, claimed_twice
from wephone.protocol.codec import shortened, wrong

LARGEST_SECRET = 4096  # bytes
_SETTINGS = [name for part in (Trunk, Numbers, CallerId, Limits) for name in part.model_fields]
_SECRET = re.compile(r"pass|pwd|secret|token|key|auth", re.IGNORECASE)


class TrunkError(Exception):
    """The trunks cannot be used; one sentence that names the file, the setting and its value."""


def load(file: Path) -> dict[str, Trunk]:
    """The trunks of a TOML file, `[trunks.NAME]` each, by name. TrunkError names the first fault."""
    tables = _tables(file)
    trunks = {name: _trunk(file, name, table) for name, table in tables.items()}
    if (did := claimed_twice(trunks.values())) is not None:
        raise TrunkError(f"{file}: dids: two trunks have {did}")
    return trunks


def signed_in(
    file: Path, environment: Mapping[str, str] | None = None
) -> dict[str, tuple[Trunk, Credentials | None]]:
    """The trunks with what each is signed in to by. TrunkError names the first fault."""
    trunks = load(file)
    return {name: (trunk, credentials(file, name, trunk, environment)) for name, trunk in trunks.items()}


def help_in(trunks: Mapping[str, tuple[Trunk, Credentials | None]]) -> tuple[str, ...]:
    """The countries whose calls for help one of these trunks carries."""
    return tuple(sorted({country for trunk, _ in trunks.values() for country in trunk.emergency_in}))


def credentials(
    file: Path, name: str, trunk: Trunk, environment: Mapping[str, str] | None = None
) -> Credentials | None:
    """What we sign in with; None where the carrier knows our address. The environment goes first."""
    if trunk.sign_in == "address" or trunk.username is None:
        return None
    environment = os.environ if environment is None else environment
    variable = password_variable(name)
    password = environment.get(variable) or _password(file, name, trunk, variable)
    return Credentials(trunk.auth_username or trunk.username, password)


def password_variable(name: str) -> str:
    """Where the environment may have a trunk's password."""
    return f"WEPHONE_TRUNK_{name.upper()}_PASSWORD"


def _tables(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise TrunkError(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrunkError(f"{file} is not TOML: {error}") from None
    for name in document:
        if name != "trunks":
            raise TrunkError(f"{file}: there is no setting {shortened(name)}: a trunk is [trunks.NAME]")
    tables = document.get("trunks", {})
    if not isinstance(tables, dict):
        raise TrunkError(f"{file}: trunks: must have a table for each trunk, [trunks.NAME]")
    for name in tables:
        if not NAME.fullmatch(name):
            raise TrunkError(f"{file}: trunks: a name must be {NAME_SPELLING}, not {shortened(name)}")
    return tables


def _trunk(file: Path, name: str, table: Any) -> Trunk:
    try:
        return Trunk.model_validate(table)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=True)
    # A name that is misspelled is missing as well, which says less.
    first = next((fault for fault in found if fault["type"] == "extra_forbidden"), found[0])
    path = ".".join(["trunks", name, *(str(part) for part in first["loc"] if "[" not in str(part))])
    if first["type"] == "extra_forbidden":
        raise TrunkError(f"{file}: {path}: {_unknown(str(first['loc'][-1]), first['input'])}")
    value = first["input"]
    is_shown = first["type"] != "missing" and not isinstance(value, dict | Trunk)
    raise TrunkError(f"{file}: {path}: {wrong(first)}{_shown(value) if is_shown else ''}")


def _unknown(name: str, value: object) -> str:
    """No setting has that name. Its value is said unless it may be a secret."""
    close = difflib.get_close_matches(name, _SETTINGS, n=1)
    guess = f": did you mean `{close[0]}`?" if close else ""
    return f"there is no such setting{guess}{'' if _SECRET.search(name) else _shown(value)}"


def _shown(value: object) -> str:
    return f" (found {shortened(value)})"


def _password(file: Path, name: str, trunk: Trunk, variable: str) -> str:
    """Of the trunk's secret file, which nobody else may read; relative to where the trunks are written."""
    where = f"{file}: trunks.{name}.password_file"
    if trunk.password_file is None:
        raise TrunkError(f"{file}: trunks.{name}: has no password: set password_file or {variable}")
    secret = file.parent / trunk.password_file
    try:
        if secret.stat().st_mode & (stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH):
            raise TrunkError(f"{where}: others can read or change {secret}: chmod 600")
        with secret.open("rb") as opened:
            text = opened.read(LARGEST_SECRET + 1).decode().rstrip("\r\n")
    except OSError as error:
        raise TrunkError(f"{where}: cannot read {secret}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise TrunkError(f"{where}: {secret} is no text") from None
    if not text or len(text) > LARGEST_SECRET or not text.isprintable():
        raise TrunkError(f"{where}: {secret} must have one line, the password")
    return text
