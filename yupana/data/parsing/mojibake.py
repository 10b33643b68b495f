"""Text that was encoded twice: UTF-8 taken for Windows' letters, and written as UTF-8 again.

`PEÑA` is then `PEÃ‘A`. The pairs of letters that come of it (Ã or Â, and a sign) stand in no text
of Spanish, Quechua or English; a file with them is refused, or mended where the contract says so.
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
_LEADS = {"Â": 0xC2, "Ã": 0xC3, "â": 0xE2}
_PAIR = re.compile(f"[ÂÃ][{re.escape(_SIGNS)}]|â€[{re.escape(_SIGNS)}]")
_STARTS = tuple(text.encode() for text in ("Â", "Ã", "â€"))


class Mojibake:
    """Finds text that was encoded twice in a file's tables, and mends or refuses it."""

    def __init__(self, contract: Contract, source: str) -> None:
        self._repair, self._source = contract.repairs_mojibake, source
        self._published = {c.name: c.published for c in contract.used}
        self._count, self._first = 0, (0, "", "")

    def mend(self, rows: pa.Table) -> pa.Table:
        """The rows, with such text mended where the contract says so."""
        import pyarrow as pa

        for place, name in enumerate(rows.column_names):
            if name in self._published and _suspect(rows[name]):
                texts = rows[name].to_pylist()
                if self._repair:
                    plain = [t and _PAIR.sub(lambda m: _decode(m[0]), t) for t in texts]
                    rows = rows.set_column(place, name, pa.array(plain, pa.string()))
                else:
                    self._note(name, texts, rows["source_line"])
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


def _decode(pair: str) -> str:
    octets = bytes(0x80 + _SIGNS.index(c) if c in _SIGNS else _LEADS[c] for c in pair)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return pair
