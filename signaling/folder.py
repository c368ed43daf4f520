"""The data folder: made, closed to others, and held by one program at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class FolderError(Exception):
    """The folder cannot be used; one sentence."""


class FolderInUseError(FolderError):
    """Another program holds it."""


class DataFolder:
    """In a context: ours alone. FolderError if it cannot be, or another program has it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = -1

    def __enter__(self) -> Self:
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise FolderError(f"cannot write to the data folder `{self._path}`: {why}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise FolderInUseError(f"the data folder `{self._path}` is in use by another program") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)  # the kernel lets go of the lock with it
