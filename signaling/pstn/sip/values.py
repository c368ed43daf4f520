"""Frozen values that are made quickly: a call makes some fifty, and copies some twenty with a change.

What keeps a frozen dataclass of the standard library from being changed makes it slow to make as well: made
and copied so they were a fifth of what a call costs. Here mypy alone keeps them frozen, which reads all that
we have, tests too; at run time an assignment would pass.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["quick", "replace"]

Value = TypeVar("Value")

if TYPE_CHECKING:
    from dataclasses import replace  # the types of what may be changed are those of the standard library's
else:

    def replace(value, /, **changes):
        """The value with these fields changed; what it is not made of (`init=False`) is as in a new one."""
        cls = value.__class__
        return (_COPIERS.get((cls, *changes)) or _copier(cls, tuple(changes)))(value, **changes)


def quick(cls: type[Value]) -> type[Value]:
    """Its instances are made as ever, in a third of the time. For a frozen dataclass with slots."""
    parts = _parts(cls)
    given = [part for part in parts if part.init]
    plain = [_parameter(part) for part in given if not part.kw_only]
    named = [_parameter(part) for part in given if part.kw_only]
    parameters = ["self", *plain, *(["*", *named] if named else [])]
    made = [f"self.{p.name} = {p.name if p.init else f'default_{p.name}'}" for p in parts]
    init = _function(cls, parts, f"__init__({', '.join(parameters)})", made)
    init.__annotations__ = {**{part.name: part.type for part in given}, "return": None}
    type.__setattr__(cls, "__init__", init)
    for name in ("__setattr__", "__delattr__"):
        type.__delattr__(cls, name)
    _QUICK.add(cls)
    return cls


_QUICK: set[type] = set()

# What copies one of a class with changes in these fields of it; there are few such sets.
_COPIERS: dict[tuple[type | str, ...], Callable[..., Any]] = {}


def _copier(cls: type, names: tuple[str, ...]) -> Callable[..., Any]:
    if cls not in _QUICK:
        return dataclasses.replace
    parts = _parts(cls)
    if unknown := set(names) - {part.name for part in parts if part.init}:
        raise TypeError(f"{cls.__name__} has no field {unknown.pop()}")
    changed = {name: name for name in names}
    kept = {part.name: f"value.{part.name}" if part.init else f"default_{part.name}" for part in parts}
    copied = [f"made.{name} = {what}" for name, what in (kept | changed).items()]
    head = f"copy({', '.join(['value', *names])})"
    made = _COPIERS[cls, *names] = _function(cls, parts, head, ["made = new(cls)", *copied, "return made"])
    return made


def _parts(cls: type) -> "tuple[Field[Any], ...]":
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} is made with care, and cannot be quick")
    found = fields(cls)
    for part in found:
        if part.default_factory is not MISSING or (not part.init and part.default is MISSING):
            raise TypeError(f"{cls.__name__}.{part.name} has no plain default")
    return found


def _parameter(part: "Field[Any]") -> str:
    return part.name if part.default is MISSING else f"{part.name}=default_{part.name}"


def _function(cls: type, parts: "tuple[Field[Any], ...]", head: str, body: list[str]) -> Callable[..., Any]:
    """As `dataclasses` makes its own: from text, with what it needs beside it."""
    beside: dict[str, Any] = {"cls": cls, "new": object.__new__}
    for part in parts:
        beside[f"default_{part.name}"] = part.default
    exec(f"def {head}:\n  " + "\n  ".join(body or ["pass"]), beside)
    made: Callable[..., Any] = beside[head.partition("(")[0]]
    made.__qualname__ = f"{cls.__qualname__}.{made.__name__}"
    return made
