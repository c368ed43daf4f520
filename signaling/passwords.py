"""Passwords: argon2id (RFC 9106), worked out beside the event loop, a few at a time."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from signaling.common_passwords import COMMON

SHORTEST, LONGEST = 8, 256  # characters (NIST SP 800-63B §5.1.1.2: at least 8)
AT_ONCE = 2  # threads: argon2 lets go of the interpreter, and a sign-in storm must not starve the calls
MOST_WAITING = 256  # attempts; more than that is a flood
ONCE = "once:"  # before a stored password that has to be changed at its first use

# OWASP's second choice of parameters: 19 MiB and about 20 ms, so that a storm of sign-ins costs no gigabytes.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class TooBusyError(Exception):
    """More passwords wait to be checked than is reasonable."""


class Passwords:
    """Makes and checks what is stored of a password."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = _HASHER.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str, *, once: bool = False) -> str:
        """What to store. `once`: it has to be changed at its first use."""
        async with _Place(self):
            made = await asyncio.get_running_loop().run_in_executor(self._threads, _HASHER.hash, password)
        return f"{ONCE}{made}" if once else made

    async def is_right(self, stored: str | None, password: str) -> bool:
        """Is it the one? With nothing stored the answer is no, after the same time."""
        made = (stored or self._nobodys).removeprefix(ONCE)
        async with _Place(self):
            right = await asyncio.get_running_loop().run_in_executor(
                self._threads, _verified, made or self._nobodys, password
            )
        return right and bool(stored)

    def is_outdated(self, stored: str) -> bool:
        """Was it made with other parameters than today's?"""
        return _HASHER.check_needs_rehash(stored.removeprefix(ONCE))

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class _Place:
    """A place in the queue for a thread."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    async def __aenter__(self) -> None:
        if self._passwords._waiting >= MOST_WAITING:
            raise TooBusyError
        self._passwords._waiting += 1

    async def __aexit__(self, *exc: object) -> None:
        self._passwords._waiting -= 1


def is_once(stored: str) -> bool:
    """Does it have to be changed before anything else?"""
    return stored.startswith(ONCE)


def new_password() -> str:
    """One that a person can read from a screen and type: 100 bits in groups of five letters."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
    groups = ("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def fault(password: str, name: str) -> str | None:
    """Why it is no password, as the rest of a sentence."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"has {len(password)} characters: it must have {SHORTEST} to {LONGEST}"
    if password.casefold() == name.casefold():
        return "is the name of the account: choose another"
    if len(set(password)) < 3:
        return "is too easy to guess: choose another"
    return None


def fault_of_choice(password: str, name: str) -> str | None:
    """Why nobody may choose it for themselves (NIST SP 800-63B §5.1.1.2: none that is commonly used)."""
    common = password.casefold() in COMMON
    return fault(password, name) or (
        "is one of those that are tried first: choose another" if common else None
    )


def _verified(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
