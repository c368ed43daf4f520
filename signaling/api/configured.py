"""The settings of this server, as it runs with them: to be read, and never changed from a page."""

import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import SecretStr

from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.configuration import PREFIX, listed
from signaling.settings import Settings
from wephone.protocol.messages import Model

routes = Routes()

PASSWORD_IN_ADDRESS = re.compile(r"(?<=:)[^:/@]+(?=@)")


class ShownSetting(Model):
    """One setting: what it is, and who says so. Of a secret only that there is one."""

    name: str
    variable: str
    value: str
    default: str
    source: Literal["default", "file", "environment"]
    text: str


class ShownSettings(Model):
    """All of them, in the order of the manual."""

    settings: tuple[ShownSetting, ...]


@routes.add("GET", "/api/operator/settings", Rule.AUDITOR)
async def settings(visit: Visit) -> ShownSettings:
    """The settings of this server and where each comes from."""
    return ShownSettings(settings=tuple(described(visit.parts.settings, os.environ)))


def described(settings: Settings, environment: Mapping[str, str]) -> list[ShownSetting]:
    """Every setting with its value and source."""
    return [
        ShownSetting(
            name=each.name,
            variable=each.variable,
            value=in_words(getattr(settings, each.name)),
            default=each.default,
            source=source(each.name, settings, environment),
            text=each.text,
        )
        for each in listed()
    ]


def source(
    name: str, settings: Settings, environment: Mapping[str, str]
) -> Literal["default", "file", "environment"]:
    """Who says so."""
    if environment.get(f"{PREFIX}{name.upper()}"):
        return "environment"
    return "file" if name in settings.model_fields_set else "default"


def in_words(value: Any) -> str:
    """As a person reads it; secrets are not told."""
    match value:
        case None | ():
            return ""
        case SecretStr():
            return "•••"
        case bool():
            return "true" if value else "false"
        case tuple() | list():
            return ", ".join(map(in_words, value))
        case _:
            return PASSWORD_IN_ADDRESS.sub("•••", str(value))
