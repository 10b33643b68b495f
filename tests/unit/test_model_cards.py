"""A card is asked for by names that strangers choose."""

from __future__ import annotations

import pytest

from yupana.serving import model_listing


@pytest.mark.parametrize("name", ["cholera", "a_", "a-", "a_-", "a--b"])
def test_an_absent_card_is_404(name: str) -> None:
    assert model_listing.card(name, 1_000_000).status_code == 404
