"""Pictures of sound, for people who want to see that they were heard: PNG by PyAV, with nothing to plot."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from wephone.media.audio import RATE, Samples
from wephone.media.errors import DeviceError
from wephone.media.glyphs import written

Picture: TypeAlias = NDArray[np.uint8]
Ink: TypeAlias = tuple[int, int, int]

WIDTH, HEIGHT = 1200, 160  # pixels of one row's sound
MARGIN, AXIS, EDGE = (
    220,
    44,
    24,
)  # pixels left of the rows, for their names; below, for seconds; right and above
PAPER, LINE, TEXT = (255, 255, 255), (222, 226, 232), (60, 66, 75)
INKS = ((31, 90, 160), (190, 82, 22))  # said and heard, told apart by colour-blind eyes too
SCALE = 2  # of letters
MOST_MARKS = 12  # on the axis of time


def write_png(path: str | Path, rows: Mapping[str, Samples]) -> None:
    """Draw rows of sound by their names, over one scale of time. DeviceError if it cannot be written."""
    frame = av.VideoFrame.from_ndarray(drawn(rows), format="rgb24")
    codec = av.CodecContext.create("png", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, "rgb24"
    codec.time_base = frame.time_base = Fraction(1)
    packets = [*codec.encode(frame), *codec.encode(None)]
    try:
        Path(path).write_bytes(b"".join(bytes(packet) for packet in packets))
    except OSError as error:
        raise DeviceError(f"`{path}` cannot be written: {error.strerror}") from error


def drawn(rows: Mapping[str, Samples]) -> Picture:
    """All of it: each row with its name on the left, and the seconds below."""
    longest = max([1, *(row.size for row in rows.values())])
    bottom = EDGE + len(rows) * HEIGHT
    picture = np.full((bottom + AXIS, MARGIN + WIDTH + EDGE, 3), PAPER, dtype=np.uint8)
    draw_axis(picture, longest, bottom)
    for index, (name, samples) in enumerate(rows.items()):
        ink, top = INKS[index % len(INKS)], EDGE + index * HEIGHT
        plot = picture[top : top + HEIGHT, MARGIN : MARGIN + WIDTH]
        draw_row(plot, samples, longest, ink)
        label = written(name, SCALE)
        write(picture, label, top + (HEIGHT - label.shape[0]) // 2, MARGIN - 16 - label.shape[1], ink)
    return picture


def draw_axis(picture: Picture, longest: int, bottom: int) -> None:
    """A line through all rows at each whole second, or fewer if they are many, with its number below."""
    seconds = longest / RATE
    step = next(step for step in steps() if seconds / step < MOST_MARKS)
    for second in range(0, int(seconds) + 1, step):
        column = MARGIN + min(WIDTH - 1, round(second / seconds * WIDTH))
        picture[EDGE : bottom + 6, column] = LINE
        label = written(f"{second} s", SCALE)
        write(picture, label, bottom + 14, column - label.shape[1] // 2, TEXT)


def steps() -> Iterator[int]:
    """Whole seconds that people count by: 1, 2, 5, 10, 20, 50, ..."""
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)


def draw_row(plot: Picture, samples: Samples, longest: int, ink: Ink) -> None:
    """For each column of pixels the lowest and highest sample of its time."""
    plot[HEIGHT // 2] = LINE
    plot[-1] = LINE
    edges = np.linspace(0, longest, WIDTH + 1).astype(int)
    for column in range(WIDTH):
        part = samples[edges[column] : max(edges[column + 1], edges[column] + 1)]
        if part.size:
            plot[row_of(int(part.max())) : row_of(int(part.min())) + 1, column] = ink


def row_of(sample: int) -> int:
    """Which row of pixels a sample lies in; the top one is 0."""
    return min(HEIGHT - 2, round((1 - sample / 32768) * (HEIGHT - 2) / 2))


def write(picture: Picture, label: NDArray[np.bool_], top: int, left: int, ink: Ink) -> None:
    """Put letters there; what would lie beyond an edge is left out."""
    place = picture[top:, max(left, 0) :]
    label = label[: place.shape[0], max(-left, 0) :][:, : place.shape[1]]
    place[: label.shape[0], : label.shape[1]][label] = ink
