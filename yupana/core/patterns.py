"""Regular expressions that mean the same to Java (Spark) and to Rust (Sail).

Java's `\\d`, `\\w` and `\\s` are of ASCII, Rust's of Unicode; Rust has neither look-around nor
back-references. https://docs.rs/regex/latest/regex/#syntax
"""

from __future__ import annotations

import re

# All that Unicode calls white space (property White_Space), as a class for either.
BLANKS = "[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
# What does not count around a value, as single characters: those of BLANKS, and marks that have no
# width (byte order mark, zero-width space and joiners), which web tables and programs leave.
AROUND = "".join(
    map(
        chr,
        (
            *range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200E), 0x2028, 0x2029,
            0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF,
        ),
    )
)  # fmt: skip
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\x0B\\f\\r"}
_UNICODE = re.compile(r"\\[pP]\{\w+\}")
_ALONE = re.compile(r"\(\?(?:[=!>]|<[=!])|\\[1-9]|[*+?}]\+|&&|\\[GQEkRXZ]")


def portable(pattern: str) -> str:
    """The pattern with `\\d`, `\\w` and `\\s` written out as ASCII, as Java reads them.

    Raises:
        ValueError: it is no pattern, or has what only one of the two can do; names it.
    """
    # Classes of Unicode, which engines know and Python does not, stand for a letter here.
    plain = _UNICODE.sub("a", pattern.replace("\\\\", "  "))
    alone = _ALONE.search(plain)
    if alone:
        raise ValueError(f"'{alone.group()}' is not understood by every engine")
    try:
        re.compile(plain)
    except re.error as error:
        raise ValueError(str(error)) from error
    out, place, within = "", 0, False
    while place < len(pattern):
        char, after = pattern[place], pattern[place + 1 : place + 2]
        if char == "\\":
            ascii_class = _CLASSES.get(after.lower()) if after else None
            if ascii_class is None:
                out += char + after
            elif after.isupper() and within:
                raise ValueError(f"'\\{after}' inside of brackets is not understood alike")
            else:
                bare = f"^{ascii_class}" if after.isupper() else ascii_class
                out += bare if within else f"[{bare}]"
            place += 2
            continue
        if char in "[]":
            within = char == "["
        out += char
        place += 1
    return out


def fault(pattern: str) -> str | None:
    """Why a pattern cannot be used; None where it can."""
    try:
        portable(pattern)
    except ValueError as error:
        return str(error)
    return None
