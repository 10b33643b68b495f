"""Areas that a district lies in, by INEI's codes: its first digits name them."""

from __future__ import annotations

DIGITS = {"department": 2, "province": 4, "district": 6}
"""Levels of area, the widest first, and how many digits name one."""


COUNTRY = "PERU"
"""Name of the area whose code is empty: every place lies in it."""

NAMES = {"department": ("departamento", "department"), "province": ("provincia", "province")}
"""Spanish and English."""


def area(code: str, level: str) -> str:
    """Code of the area of a level that a place lies in, or a series of it (`160101-vivax`)."""
    return code[: DIGITS[level]]


def total(code: str) -> str:
    """Code of the area whose total is known beside a place's count: of a district its department,
    of a department the country."""
    return area(code, "department") if level(code) != "department" else ""


def level(code: str) -> str:
    """The level of an area by its code; empty where there is none of that length."""
    return next((name for name, digits in DIGITS.items() if digits == len(code)), "")
