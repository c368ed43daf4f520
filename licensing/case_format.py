"""What the kinds of decision cases have in common, as a file tells them."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Format(BaseModel):
    """Part of a file of cases. What it does not know is an error, so that a typing error tests nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class Told(Format):
    """What every case tells its reader besides input and expectation."""

    id: str
    title: str | None = None
    basis: Literal["settled", "interpretation", "engine_policy"] | None = None
    confidence: Literal["high", "medium", "low"] | None = None
    why: str | None = None
    sources: tuple[str, ...] = ()


def differ(name: str, expected: object, got: object) -> Iterator[str]:
    """One sentence if the answer is not the expected one."""
    if expected != got:
        yield f"{name} is {got}, expected {expected}"
