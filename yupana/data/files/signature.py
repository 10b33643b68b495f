"""What a file is by its first bytes, where that is not what a contract can read."""

from __future__ import annotations

import re

from yupana.core.errors import TerminalError

_PAGE = (b"<!doctype html", b"<html", b"<head", b"<body")
_TABLE = (b"<table", b"<meta", b"<style")
# First bytes, what they are, and what to do; from each format's own description.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"BZh", "a bzip2 archive", "Unpack it (bunzip2), or pack it as gzip or zip."),
    (b"\xfd7zXZ\x00", "an xz archive", "Unpack it (unxz), or pack it as gzip or zip."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it (7z x), or pack it as zip."),
    (b"Rar!\x1a\x07", "a RAR archive", "Unpack it (unrar x), or pack it as zip."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it (unzstd), or pack it as gzip."),
    (b"%PDF-", "a PDF", "Ask the publisher for the table itself, or keep it: format: object."),
    (b"SQLite format 3\x00", "an SQLite database", "Export its table as CSV."),
)
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARQUET = b"PAR1"
_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
# Version, year, month, day of the last change, counts, and two bytes of zero.
_DBF = re.compile(rb"[\x03\x30\x31\x83\x8b\xf5].[\x01-\x0c][\x01-\x1f].{8}\x00\x00", re.S)


def refuse_other(head: bytes, *, format: str, label: str) -> None:
    """Refuse what came instead of the data: a web page, an archive, another kind of file.

    Args:
        head: the first bytes of the content, unpacked.
        format: the contract's; an `object` may be anything.

    Raises:
        TerminalError: names what the file is, and what to do.
    """
    if format == "object":
        return
    _refuse_page(head, format, label)
    for start, what, fix in _OTHERS:
        if head.startswith(start):
            raise _other(what, label, fix)
    if head.startswith(_OLD_WORKBOOK) and format != "xlsx":
        raise _other("an Excel workbook (.xls)", label, "Set the contract's `format` to xlsx.")
    if head.startswith(_GZIP):
        raise _other("packed twice (gzip inside)", label, "Unpack it once (gunzip), and give that.")
    if head.startswith(_ZIP) and format != "xlsx":
        fix = "Unpack it once, or set the contract's `format` to xlsx where it is a workbook."
        raise _other("a workbook (.xlsx), or a zip inside of an archive", label, fix)
    if head.startswith(_PARQUET) and format != "parquet":
        raise _other("a Parquet file", label, "Set the contract's `format` to parquet.")
    if format == "csv" and _DBF.match(head):
        raise _other("a dBase table (.dbf)", label, "Open it in a spreadsheet and save it as CSV.")


def _other(what: str, label: str, fix: str) -> TerminalError:
    return TerminalError(f"The file is {what}.", where=label, fix=f"{fix} Nothing was published.")


def _refuse_page(head: bytes, format: str, label: str) -> None:
    """A web page comes as an error or a log-in; a table in HTML comes as `.xls`."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(_TABLE) and b"<t" in start:
        fix = "Open it in a spreadsheet and save it as a workbook (.xlsx) or CSV."
        raise _other("a table in HTML, whatever its name says", label, fix)
    hidden = start.startswith((b"<?xml", b"<!--")) and b"<html" in start
    if not (start.startswith(_PAGE) or hidden):
        return
    if format == "xlsx" and b"<table" in start:
        fix = "Open it in a spreadsheet and save it as a workbook (.xlsx) or CSV."
        raise _other("a table in HTML, whatever its name says", label, fix)
    title = re.search(rb"<title[^>]*>\s*(.*?)\s*</title>", head, re.S | re.I)
    heading = f", titled '{title[1].decode(errors='replace')[:100]}'" if title else ""
    raise TerminalError(
        f"An HTML page came instead of the data{heading}.",
        where=label,
        fix="Open the address in a browser: the file has moved, needs a log-in, or the portal "
        "is out of order. Nothing was published from it.",
    )
