"""Random bytes, asked of the kernel a page at a time: to ask for each tag and branch was a third of a call's
system calls."""

from collections.abc import Callable

PAGE = 4096  # bytes
TOKEN = 16


class Noise:
    """As many bytes as are wanted, each given once."""

    def __init__(self, source: Callable[[int], bytes]) -> None:
        self._source = source
        self._page, self._used = b"", 0

    def __call__(self, count: int) -> bytes:
        if self._used + count > len(self._page):
            self._page, self._used = self._source(max(PAGE, count)), 0
        begin, self._used = self._used, self._used + count
        return self._page[begin : self._used]

    def token(self) -> str:
        """A tag, a Call-ID or whatever else nobody is to guess."""
        begin, self._used = self._used, self._used + TOKEN
        if self._used > len(self._page):
            return self(TOKEN).hex()
        return self._page[begin : self._used].hex()
