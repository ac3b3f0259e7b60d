"""Writes the printable ASCII characters of a font as C: python tools/font_header.py DejaVuSans.ttf src/show/font.h

Needs Pillow. On Debian and Ubuntu the font is in fonts-dejavu-core. Its licence lies beside the header.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import ImageFont

SIZE = 14  # pixels to an em
CHARACTERS = "".join(map(chr, range(32, 127)))

HEAD = """\
/* font.h - printable ASCII in one size, as pixels: made from {name} by tools/font_header.py, not to be edited
 *
 * The licence of the font is in font.LICENSE. Lengths are in pixels.
 */
#ifndef SHOW_FONT_H
#define SHOW_FONT_H

#include <stdint.h>

enum {{
    SHOW_FONT_ASCENT = {ascent}, /* from the top of a line to the baseline */
    SHOW_FONT_HEIGHT = {height}, /* from there to the lowest pixel of any character */
    SHOW_FONT_FIRST = {first},  /* the characters are this one to SHOW_FONT_LAST */
    SHOW_FONT_LAST = {last}
}};

typedef struct ShowGlyph {{
    int8_t advance;     /* from this character to the next */
    int8_t left, top;   /* where its pixels begin, to the right of the pen and below the top of the line */
    int8_t width;       /* of its pixels */
    int8_t height;      /* the same */
    const char* pixels; /* (height x width), row by row from the top: 'a' is empty, 'p' is full */
}} ShowGlyph;

/* The picture of a character; of '?' for one that the font lacks. */
static inline const ShowGlyph* show_glyph(char character) {{
    /* clang-format off */
    static const ShowGlyph glyphs[] = {{
"""

TAIL = """\
    };
    /* clang-format on */
    const int code = (unsigned char)character;
    return &glyphs[(code < SHOW_FONT_FIRST || code > SHOW_FONT_LAST ? '?' : code) - SHOW_FONT_FIRST];
}

#endif
"""


def main(source: str, out: str) -> None:
    font = ImageFont.truetype(source, SIZE, layout_engine=ImageFont.Layout.BASIC)
    rows, lowest = [], 0
    for character in CHARACTERS:
        left, top, right, bottom = font.getbbox(character)
        mask, (left, top) = font.getmask2(character, mode="L")
        width, height = mask.size if bottom > top and right > left else (0, 0)
        pixels = "".join(chr(ord("a") + (mask.getpixel((x, y)) + 8) // 17) for y in range(height) for x in range(width))
        lowest = max(lowest, top + height)
        rows.append(f'        {{{round(font.getlength(character))}, {left}, {top}, {width}, {height}, "{pixels}"}},\n')
    ascent, _ = font.getmetrics()
    numbers = {"ascent": ascent, "height": lowest, "first": ord(CHARACTERS[0]), "last": ord(CHARACTERS[-1])}
    name = " ".join(part for part in font.getname() if part != "Book")
    Path(out).write_text(HEAD.format(name=name, **numbers) + "".join(rows) + TAIL)


if __name__ == "__main__":
    main(*sys.argv[1:])
