"""Routes as data: method, path, who may use it, what goes in and out."""

import inspect
import re
import types
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from licensing.gate import Ask


class Rule(StrEnum):
    """Who may use a route. There is no default."""

    ANYONE = "anyone"
    SIGNED_IN_ONCE = "signed_in_once"  # also with a password that has to be changed first
    SIGNED_IN = "signed_in"
    AUDITOR = "auditor"  # operators too: it only reads
    OPERATOR = "operator"


Handler = Callable[..., Awaitable[BaseModel | web.StreamResponse | None]]
Asking = Callable[..., Awaitable[Ask]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of an API."""

    method: str
    path: str
    rule: Rule
    handler: Handler
    asks: Asking | None = None  # what it would do, for the gate: of the same visit, body and query
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    is_file: bool = False  # of the app: a page is many of them, so they do not count as visits
    proven: bool = False  # somebody at a browser says the password once more: see proof.py

    @property
    def name(self) -> str:
        """The handler's name: the operation's id."""
        return self.handler.__name__

    @property
    def canonical(self) -> str:
        """The path without the patterns of its parameters, as aiohttp names the resource."""
        return re.sub(r"\{(\w+):[^}]+\}", r"{\1}", self.path)

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]


@dataclass(slots=True)
class Routes:
    """The routes of one part of an API, in the order of their declaration."""

    all: list[Route] = field(default_factory=list)

    def add(
        self,
        method: str,
        path: str,
        rule: Rule,
        *,
        asks: Asking | None = None,
        status: int = 200,
        is_file: bool = False,
        proven: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a handler: its parameters `body` and `query` and its answer are models, by annotation.

        `asks`: the licence middleware asks the gate before it runs (licensing.middleware).
        """

        def declare(handler: Handler) -> Handler:
            hints = typing.get_type_hints(handler)
            answer = model(hints.get("return"))
            self.all.append(
                Route(
                    method,
                    path,
                    rule,
                    handler,
                    asks,
                    model(hints.get("body")),
                    model(hints.get("query")),
                    answer,
                    status if answer is not None or status != 200 else 204,
                    is_file,
                    proven,
                )
            )
            return handler

        return declare


def model(hint: Any) -> type[BaseModel] | None:
    """The pydantic model of an annotation, if it is one."""
    if isinstance(hint, types.UnionType):
        return next(filter(None, map(model, typing.get_args(hint))), None)
    return hint if inspect.isclass(hint) and issubclass(hint, BaseModel) else None
