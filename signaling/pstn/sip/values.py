"""Copies of frozen values with something changed: a machine makes some twenty for each call.

`dataclasses.replace` asks the class about each of its fields each time, and was a tenth of what a call costs.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any

__all__ = ["replace"]

if TYPE_CHECKING:
    from dataclasses import replace  # the types of what may be changed are those of the standard library's
else:

    def replace(value, /, **changes):
        """The value with these fields changed. Its class is a frozen dataclass with slots, whose fields are
        not looked at when it is made; what it is not made of (`init=False`) is as in a new one."""
        cls = value.__class__
        parts = _PARTS.get(cls) or _parts(cls)
        made = _new(cls)
        used = 0
        for name, take, put in parts:
            if name in changes:
                put(made, changes[name])
                used += 1
            else:
                put(made, take(value))
        if used != len(changes):
            raise TypeError(f"{cls.__name__} has no field of {sorted(changes)}")
        return made


Part = tuple[str | None, Callable[[Any], Any], Callable[[Any, Any], None]]

_new = object.__new__
_PARTS: dict[type, tuple[Part, ...]] = {}


def _parts(cls: type) -> tuple[Part, ...]:
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} is made with care, and not copied so")
    _PARTS[cls] = found = tuple(_part(cls, field) for field in fields(cls))
    return found


def _part(cls: type, field: "Field[Any]") -> Part:
    slot = getattr(cls, field.name)
    if field.init:
        return field.name, slot.__get__, slot.__set__
    if field.default is MISSING:
        raise TypeError(f"{cls.__name__}.{field.name} has no default")
    return None, lambda _: field.default, slot.__set__
