"""Cut a text of fixed width into fields: each stands in the same characters of every line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from yupana.data.parsing.text import EMPTY_LINE, Text, restore
from yupana.data.parsing.text_table import text_table

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1 << 22


def header(text: Text, widths: tuple[int, ...], rows: tuple[int, ...]) -> list[list[str]]:
    """The cells of the header's lines; none where `rows` is 0 alone.

    Raises:
        TerminalError: the text ends before.
    """
    numbers = [number for number in rows if number]
    return [
        cut(text.line(number, before), widths)
        for before, number in zip([0, *numbers], numbers, strict=False)
    ]


def cut(line: str, widths: tuple[int, ...]) -> list[str]:
    """A line's fields, without the blanks around them."""
    ends = list(accumulate(widths))
    return [line[end - w : end].strip() for end, w in zip(ends, widths, strict=True)]


def tables(text: Text, widths: tuple[int, ...], line: int) -> Iterator[pa.Table]:
    """All lines as tables of `line`, `torn` and a column of texts for each width.

    A line may end early where a field ends, or inside of the last one: blanks at its end are
    often cut away. Any other length is torn.

    Args:
        widths: characters of each field, from left to right.
        line: the number of the text's next line.
    """
    rest = b""
    while block := text.read(_BLOCK):
        block = rest + block
        end = block.rfind(b"\n") + 1
        block, rest = block[:end], block[end:]
        lines = block.decode().split("\n")[:-1]
        yield _table([x.removesuffix("\r") for x in lines], widths, line)
        line += len(lines)
    # A text without lines is a table too.
    yield _table([], widths, line)


def _table(lines: list[str], widths: tuple[int, ...], first: int) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = list(accumulate(widths))
    texts = pa.array(lines, pa.string())
    blank = pc.is_in(pc.utf8_trim_whitespace(texts), pa.array(["", EMPTY_LINE]))
    numbers = pa.array(range(first, first + len(lines)), pa.int64()).filter(pc.invert(blank))
    plain = restore(texts.filter(pc.invert(blank)))
    length = pc.utf8_length(plain)
    whole = pc.or_(
        pc.is_in(length, pa.array(ends, pa.int32())),
        pc.and_(pc.greater(length, ends[-1] - widths[-1]), pc.less(length, ends[-1])),
    )
    why = pc.binary_join_element_wise(
        length.cast(pa.string()), f"characters, not {ends[-1]}", " "
    )
    torn = pc.if_else(whole, None, why)
    fields = [
        pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(plain, end - width, end))
        for end, width in zip(ends, widths, strict=True)
    ]
    fields = [pc.if_else(pc.equal(field, ""), None, field) for field in fields]
    return text_table(numbers, torn, fields)
