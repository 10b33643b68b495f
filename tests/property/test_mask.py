"""What holds of every text: masked once is masked, and nothing but personal data is touched."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_texts import HELD_BACK, SEEN, made_texts
from yupana.privacy.detect import detect
from yupana.privacy.fold import fold
from yupana.privacy.kinds import Kind
from yupana.privacy.mask import mask

WORDS = """DNI 12345678 987654321 Juan pérez QUISPE soy av. Pinos 123 mz B lt 4 @ gmail.com placa
ABC-123 RUC 20131312955 [DNI] [NOMBRE] [ ] expediente S/ de la cruz \u0301 \u200b . , - (01) señora
4111111111111111 Rosa cuenta calle cel hospital nueve arroba punto com mi hijo"""
PIECES = WORDS.split()
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_masking_again_changes_nothing(text: str) -> None:
    once = mask(text)
    again = mask(once.text)
    assert again.text == once.text and not again.counts


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    last = 0
    for span in detect(text):
        assert last <= span.start < span.end <= len(text)
        last = span.end


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_folded_text_says_where_each_character_stood(text: str) -> None:
    folded = fold(text)
    assert folded.places is None or len(folded.places) == len(folded.text)


def test_what_stands_between_is_left_as_it_was() -> None:
    places = re.compile("|".join(re.escape(kind.placeholder) for kind in Kind))
    for made in made_texts(9, 200, SEEN + HELD_BACK):
        assert all(piece in made.text for piece in places.split(mask(made.text).text))
