"""Names of things: a type where two strings could be confused."""

from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, SchemaValidator, core_schema

UUID4 = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
UUID4_SPELLING = "a UUIDv4 in lower case"


class Identifier(str):
    """A string with a syntax. Pydantic checks it where data come in; `parse` does elsewhere."""

    pattern: ClassVar[str]
    longest: ClassVar[int]
    spelling: ClassVar[str]  # the pattern, for people

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cls.schema()

    @classmethod
    def schema(cls) -> CoreSchema:
        """The syntax as pydantic checks it and JSON Schema shows it."""
        text = core_schema.str_schema(pattern=cls.pattern, max_length=cls.longest, strict=True)
        return core_schema.no_info_after_validator_function(cls, text)

    @classmethod
    def parse(cls, text: object) -> Self:
        """The identifier that `text` spells; ValueError (pydantic's) if it spells none."""
        value: Self = SchemaValidator(cls.schema()).validate_python(text)
        return value


class CallId(Identifier):
    """A call: UUIDv4 (RFC 9562 §5.4) in lower case, made by the client that places it."""

    pattern, longest, spelling = UUID4, 36, UUID4_SPELLING


class MessageId(Identifier):
    """A text message: UUIDv4 in lower case, made by the client that writes it."""

    pattern, longest, spelling = UUID4, 36, UUID4_SPELLING


class DeviceId(Identifier):
    """One installation of a client: UUIDv4 in lower case, made by it and kept."""

    pattern, longest, spelling = UUID4, 36, UUID4_SPELLING


class Peer(Identifier):
    """Whom a call is with: a user's name, a telephone number, parts of which may be masked (`*`, `•`), or
    `(withheld)` for a telephone that does not say its number."""

    pattern, longest = r"^([a-z][a-z0-9._-]{0,31}|\+?[0-9*#•]{1,31}|\(withheld\))$", 32
    spelling = "a user's name or a telephone number"


WITHHELD = "(withheld)"


class UserId(Peer):
    """A user's name: starts with a letter, so that it can never be a telephone number."""

    pattern, longest = r"^[a-z][a-z0-9._-]{0,31}$", 32
    spelling = "one of a to z, then at most 31 of a to z, 0 to 9, `.`, `_` and `-`"


class PhoneNumber(Identifier):
    """A canonical telephone number, E.164 with its plus sign (ITU-T E.164 §6: at most 15 digits)."""

    pattern, longest = r"^\+[1-9][0-9]{1,14}$", 16
    spelling = "a number with its country, as in `+8613800138000`"


class SessionId(Identifier):
    """One stay of one device on one server, for resuming it: made by the server, opaque."""

    pattern, longest = r"^[0-9a-zA-Z_-]{8,64}$", 64
    spelling = "8 to 64 letters, digits, `_` and `-`"
