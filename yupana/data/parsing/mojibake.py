"""Text that was encoded twice: UTF-8 taken for Windows' letters, and written as UTF-8 again.

`PEÑA` is then `PEÃ‘A`, and `PEÃƒâ€˜A` where it was done twice. The pairs of letters that come of it
(Ã or Â, and a sign) stand in no text of Spanish, Quechua or English; a file with them is refused,
or mended where the contract says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError
from yupana.data.contracts.contract import Contract

if TYPE_CHECKING:
    import pyarrow as pa

# What the bytes 80 to BF are in Windows-1252, or in Latin-1 where that has no letter.
_SIGNS = "".join(
    bytes([b]).decode("cp1252" if b not in b"\x81\x8d\x8f\x90\x9d" else "latin-1")
    for b in range(0x80, 0xC0)
)
_LEADS = {"Â": 0xC2, "Ã": 0xC3, "Å": 0xC5, "Æ": 0xC6, "Ë": 0xCB, "â": 0xE2}
_SIGN = f"[{re.escape(_SIGNS)}]"
_PAIR = re.compile(f"[ÂÃ]{_SIGN}|â€{_SIGN}|â‚¬|â„¢")
# Where a text was encoded several times, signs of Windows' own became pairs as well.
_PAIRS = re.compile(f"{_PAIR.pattern}|[ÅÆË]{_SIGN}")
# A byte on the way was lost, and with it the letter.
_LOST = re.compile("[ÂÃâ]\ufffd|ï¿½")
_STARTS = tuple(text.encode() for text in ("Â", "Ã", "â€", "â‚", "â„", "â\ufffd", "ï¿½"))


class Mojibake:
    """Finds text that was encoded twice in a file's tables, and mends or refuses it."""

    def __init__(self, contract: Contract, source: str) -> None:
        self._repair, self._source = contract.repairs_mojibake, source
        self._published = {c.name: c.published for c in contract.used}
        self._count, self._first = 0, (0, "", "")

    def mend(self, rows: pa.Table) -> pa.Table:
        """The rows, with such text mended where the contract says so; where a letter is lost, the
        row says why it cannot be read."""
        for name in rows.column_names:
            if name in self._published and _suspect(rows[name]):
                texts = rows[name].to_pylist()
                if self._repair:
                    rows = self._mended(rows, name, texts)
                else:
                    self._note(name, texts, rows["source_line"])
        return rows

    def _mended(self, rows: pa.Table, name: str, texts: list[str | None]) -> pa.Table:
        import pyarrow as pa

        plain = [text and _mend(text) for text in texts]
        why = f"a letter of '{self._published[name]}' is lost: the text was encoded twice"
        torn = [
            t or (why if text and _LOST.search(text) else None)
            for t, text in zip(rows["_torn"].to_pylist(), plain, strict=True)
        ]
        for column, values in ((name, plain), ("_torn", torn)):
            place = rows.column_names.index(column)
            rows = rows.set_column(place, column, pa.array(values, pa.string()))
        return rows

    def _note(self, name: str, texts: list[str | None], lines: pa.ChunkedArray) -> None:
        for number, text in enumerate(texts):
            if text and (pair := _PAIR.search(text)):
                self._count += 1
                if self._count == 1:
                    self._first = (lines[number].as_py(), name, pair[0])

    def refuse(self) -> None:
        """Refuse the file, once all of it is read.

        Raises:
            TerminalError: it has text that was encoded twice, and the contract does not mend it.
        """
        if not self._count:
            return
        line, name, pair = self._first
        raise TerminalError(
            f"{self._count:,} texts were encoded twice: '{pair}' stands for '{_decode(pair)}'.",
            where=f"{self._source}, first in line {line}, column {self._published[name]}",
            fix="Ask the publisher for the file as it was, or put {property: mojibake, value: "
            "repair} among the contract's customProperties.",
        )


def _suspect(column: pa.ChunkedArray) -> bool:
    """Whether a column's bytes hold such a letter; quicker than a look at each text."""
    texts = (memoryview(b).tobytes() for chunk in column.chunks if (b := chunk.buffers()[2]))
    return any(start in text for text in texts if not text.isascii() for start in _STARTS)


def _mend(text: str) -> str:
    """The text as it was, also where it was encoded more than twice."""
    while _PAIR.search(text):
        mended = _PAIRS.sub(lambda m: _decode(m[0]), text)
        if mended == text:
            break
        text = mended
    return text


def _decode(pair: str) -> str:
    octets = bytes(0x80 + _SIGNS.index(c) if c in _SIGNS else _LEADS[c] for c in pair)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return pair
