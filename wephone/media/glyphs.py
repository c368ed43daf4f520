"""A few letters of five by seven pixels, for pictures drawn where no font can be counted on."""

import numpy as np
from numpy.typing import NDArray

WIDE, HIGH, GAP = 5, 7, 1  # pixels of a letter, and between two

# Side by side, as they look: the lower-case letters that WePhone's pictures need, and the digits.
DRAWN = (
    (
        "abcdehilors",
        """
        ..... #.... ..... ....# ..... #.... ..#.. .##.. ..... ..... .....
        ..... #.... ..... ....# ..... #.... ..... ..#.. ..... ..... .....
        .###. #.##. .###. .##.# .###. #.##. .##.. ..#.. .###. #.##. .####
        ....# ##..# #.... #..## #...# ##..# ..#.. ..#.. #...# ##..# #....
        .#### #...# #.... #...# ##### #...# ..#.. ..#.. #...# #.... .###.
        #...# #...# #...# #...# #.... #...# ..#.. ..#.. #...# #.... ....#
        .#### ####. .###. .#### .###. #...# .###. .###. .###. #.... ####.
        """,
    ),
    (
        "0123456789",
        """
        .###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###.
        #...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...#
        #..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...#
        #.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .####
        ##..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....#
        #...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#.
        .###. .###. ##### .###. ...#. .###. .###. .#... .###. .##..
        """,
    ),
)


def glyphs() -> dict[str, NDArray[np.bool_]]:
    """Character -> where its ink is."""
    found = {}
    for characters, picture in DRAWN:
        lines = [line.split() for line in picture.split("\n") if line.strip()]
        for character, pixels in zip(characters, zip(*lines, strict=True), strict=True):
            found[character] = np.array([[pixel == "#" for pixel in line] for line in pixels])
    return found


GLYPHS = glyphs()
BLANK = np.zeros((HIGH, WIDE), dtype=np.bool_)


def written(text: str, scale: int) -> NDArray[np.bool_]:
    """Where the ink of a line of text is. What has no glyph is left blank."""
    gap = np.zeros((HIGH, GAP), dtype=np.bool_)
    parts = [part for character in text for part in (GLYPHS.get(character, BLANK), gap)]
    line = np.concatenate(parts[:-1], axis=1) if parts else gap
    return line.repeat(scale, axis=0).repeat(scale, axis=1)
