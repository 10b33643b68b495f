"""Dates as portals write them."""

from __future__ import annotations

import pytest

from yupana.data.sources import words


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Date changed\tWed, 05/13/2015 - 04:56", "2015-05-13T04:56:00"),
        ("Miércoles, 08/02/2023 - 15:41", "2023-02-08T15:41:00"),
        ("Viernes, 11/20/2020 - 09:05", "2020-11-20T09:05:00"),
        ("Sáb, 04/03/2023", "2023-03-04T00:00:00"),
        ("2025-12-15T14:58:10.543000", "2025-12-15T14:58:10.543000"),
        ("Lunes, 08/02/2023 - 15:41", "Lunes, 08/02/2023 - 15:41"),
        ("hace dos días", "hace dos días"),
        ("", ""),
    ],
)
def test_dates_of_portals(text: str, iso: str) -> None:
    assert words.iso_date(text) == iso
