"""Pictures of sound, for people who want to see that they were heard: PNG by PyAV, with nothing to plot."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from wephone.media.audio import Samples
from wephone.media.errors import DeviceError

Picture: TypeAlias = NDArray[np.uint8]

WIDTH, HEIGHT = 1200, 160  # pixels of one row
PAPER, LINE = (255, 255, 255), (214, 219, 226)
INKS = ((31, 90, 160), (190, 82, 22))  # said and heard, told apart by colour-blind eyes too


def write_png(path: str | Path, rows: Sequence[Samples]) -> None:
    """Draw rows of sound over one another, on one scale of time. DeviceError if it cannot be written."""
    longest = max([1, *(row.size for row in rows)])
    drawn = [drawing(row, longest, INKS[index % len(INKS)]) for index, row in enumerate(rows)]
    frame = av.VideoFrame.from_ndarray(np.concatenate(drawn), format="rgb24")
    codec = av.CodecContext.create("png", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, "rgb24"
    codec.time_base = frame.time_base = Fraction(1)
    packets = [*codec.encode(frame), *codec.encode(None)]
    try:
        Path(path).write_bytes(b"".join(bytes(packet) for packet in packets))
    except OSError as error:
        raise DeviceError(f"`{path}` cannot be written: {error.strerror}") from error


def drawing(samples: Samples, longest: int, ink: tuple[int, int, int]) -> Picture:
    """One row: for each column of pixels the lowest and highest sample of its time."""
    picture = np.full((HEIGHT, WIDTH, 3), PAPER, dtype=np.uint8)
    picture[HEIGHT // 2] = LINE
    picture[-1] = LINE
    edges = np.linspace(0, longest, WIDTH + 1).astype(int)
    for column in range(WIDTH):
        part = samples[edges[column] : max(edges[column + 1], edges[column] + 1)]
        if part.size:
            picture[row_of(int(part.max())) : row_of(int(part.min())) + 1, column] = ink
    return picture


def row_of(sample: int) -> int:
    """Which row of pixels a sample lies in; the top one is 0."""
    return min(HEIGHT - 2, round((1 - sample / 32768) * (HEIGHT - 2) / 2))
