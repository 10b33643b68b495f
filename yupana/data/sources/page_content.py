"""One page of a source that answers by pages, cut into what all share and its own records."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    from yupana.data.contracts.contract import Contract

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[\s,:]*")


@dataclass(frozen=True)
class Page:
    """What comes before its records, its records, how many, and what follows the last page."""

    head: bytes
    body: bytes
    rows: int
    tail: bytes = b""


def page(contract: Contract, content: bytes, where: str) -> Page:
    """Cut a page's bytes.

    Raises:
        TerminalError: it has no list of records, or its encoding cannot be put together.
    """
    return _csv(contract, content, where) if contract.format == "csv" else (
        _json(content, contract.records, where)
    )  # fmt: skip


def _csv(contract: Contract, content: bytes, where: str) -> Page:
    """Delimited text: the header that all pages share, and the records below it."""
    if len("a".encode(contract.encoding)) > 1:
        raise TerminalError(
            f"Pages in {contract.encoding} cannot be put together.",
            where=where,
            fix="Ask for UTF-8, or for one file.",
        )
    end = 0
    content = content.removeprefix(codecs.BOM_UTF8)
    for _ in range(contract.header_rows[-1]):
        end = content.find(b"\n", end) + 1 or len(content)
    while content.count(b'"', 0, end) % 2 and end < len(content):
        end = content.find(b"\n", end) + 1 or len(content)
    head, body = content[:end].rstrip(b"\r\n"), content[end:]
    body += b"" if body.endswith(b"\n") or not body else b"\n"
    # Line ends inside quotes are text.
    rows = b"".join(body.split(b'"')[::2]).count(b"\n")
    return Page(head + b"\n" if end else b"", body, rows)


def _json(content: bytes, path: str | None, where: str) -> Page:
    """JSON: the records as they came, one a line, in a list where the page has it."""
    try:
        text = content.decode("utf-8-sig")
        names, at = _list(text, path)
        # A break in JSON is never inside a text: there it is written \\n.
        rows = [re.sub(r"[\r\n]+", " ", item).encode() for item in _items(text, at)]
    except (ValueError, RecursionError) as error:
        raise TerminalError(
            f"A page has no list of records: {error}.",
            where=where,
            fix="Its records should be a list, the one list of an object, or where the contract's "
            "`records` says.",
        ) from error
    head = "".join(f"{{{json.dumps(name)}: " for name in names) + "[\n"
    if names == ["features"]:
        head = '{"type": "FeatureCollection", "features": [\n'
    return Page(head.encode(), b",\n".join(rows), len(rows), b"\n]" + b"}" * len(names) + b"\n")


def _list(text: str, path: str | None) -> tuple[list[str], int]:
    """The names of the objects around the records, and where their list begins.

    Names that the parser needs again: those of `path`, and `features` of GeoJSON.
    """
    whole: Any = json.loads(text)
    at = len(text) - len(text.lstrip())
    names = path.split(".") if path else []
    for name in names:
        if not isinstance(whole, dict) or name not in whole:
            raise ValueError(f"it has no {path}")
        whole, at = whole[name], _value(text, at, name)
    if isinstance(whole, dict) and not path:
        lists = [k for k, v in whole.items() if isinstance(v, list)]
        if len(lists) != 1:
            raise ValueError(f"it has {len(lists)} lists: {', '.join(lists)}")
        names = lists if whole.get("type") == "FeatureCollection" else []
        whole, at = whole[lists[0]], _value(text, at, lists[0])
    if not isinstance(whole, list):
        raise ValueError("it is one value")
    return names, at


def _items(text: str, at: int) -> Iterator[str]:
    """The texts of a list's elements; the list begins at `at`."""
    at = _after(text, at + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        at = _after(text, end)


def _value(text: str, at: int, name: str) -> int:
    """Where the value of a field begins, of the object that begins at `at`."""
    at = _after(text, at + 1)
    while True:
        key, end = _DECODER.raw_decode(text, at)
        at = _after(text, end)
        if key == name:
            return at
        _, end = _DECODER.raw_decode(text, at)
        at = _after(text, end)


def _after(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at
