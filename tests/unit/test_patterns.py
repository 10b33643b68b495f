"""A contract's pattern means the same to each engine, or is refused when it is read."""

from __future__ import annotations

import pytest

from yupana.core.patterns import portable


@pytest.mark.parametrize(
    ("pattern", "portable_form"),
    [
        (r"^\d{6}$", "^[0-9]{6}$"),
        (r"[\d.]+", "[0-9.]+"),
        (r"[^\d]", "[^0-9]"),
        (r"\D", "[^0-9]"),
        (r"\w\s", r"[A-Za-z0-9_][ \t\n\x0B\f\r]"),
        (r"a\\d", r"a\\d"),
        (r"\.\[", r"\.\["),
        (r"^\p{L}+$", r"^\p{L}+$"),
    ],
)
def test_written_out(pattern: str, portable_form: str) -> None:
    assert portable(pattern) == portable_form


@pytest.mark.parametrize(
    "pattern", [r"(?=x)", r"(?<!x)y", r"(a)\1", "a++", "a{2}+", r"[\D]", "[a&&b]"]
)
def test_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="understood"):
        portable(pattern)
