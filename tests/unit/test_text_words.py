"""Texts as numbers: what is the same, what is told apart, and what is not read."""

from __future__ import annotations

import numpy as np
import pytest

from yupana.tasks.classify.model import words


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("¿DÓNDE está?", "donde esta"),
        ("Alumbrado pu\u0301blico", "alumbrado público"),
        ("pagué 350 soles", "pagué 12 soles"),
        ("ﬁesta", "fiesta"),
        ("basura,basura", "basura basura"),
    ],
)
def test_the_same_words(text: str, same: str) -> None:
    assert words.words(text) == words.words(same)
    assert np.array_equal(words.numbers(text), words.numbers(same))


def test_digits_of_a_code_stay() -> None:
    assert words.words("bus B12 línea 4") == ["bus", "b12", "linea", "0"]


def test_a_text_without_words_has_one_bucket() -> None:
    for text in ("", " \n", "¡¿…?!", "😀"):
        assert words.words(text) == [] and words.numbers(text).tolist() == [0]


def test_word_parts_and_pairs() -> None:
    # <luz>: the word, and parts of 3 (3) and 4 (2) characters; of 5 there is itself alone.
    assert len(words.of_word("luz")) == 1 + 3 + 2
    whole = words.numbers("la luz")
    assert set(words.of_word("luz")) < set(whole) and len(words.pairs(["la", "luz"])) == 1
    assert words.pairs(["la", "luz"]) != words.pairs(["luz", "la"])


def test_a_misspelt_word_shares_most_parts() -> None:
    right, wrong, other = (set(words.of_word(w)) for w in ("alumbrado", "alumbrdo", "veredas"))
    assert len(right & wrong) > 5 * len(right & other)


def test_a_long_text_is_cut() -> None:
    assert len(words.words("luz " * 100_000)) == words.MOST_WORDS
    assert len(words.words("a" * 1_000_000)) == 1
    assert len(words.of_word("a" * 10_000)) < 20 * len(words.PART)


def test_buckets_are_within_the_table() -> None:
    numbers = words.numbers("Ñuqa wasiyman rini, mana yaku kanchu; farola apagada y basura")
    assert numbers.dtype == np.int64 and 0 <= numbers.min() <= numbers.max() < words.BUCKETS
    assert len(set(numbers)) > 0.95 * len(numbers), "they hardly collide"
