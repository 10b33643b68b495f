"""In which language a text is written: real sentences, short ones and odd ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from yupana.config.settings import ROOT
from yupana.tasks.classify import language

SENTENCES = ROOT.parent / "shared" / "data" / "americas_languages"


def codes(file: str, most: int = 400) -> Counter[str]:
    """The languages that a file's first sentences are taken for."""
    path: Path = SENTENCES / file
    if not path.exists():
        pytest.skip(f"no {path}")
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    return Counter(language.of(line) for line in lines[:most])


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "code", "least"),
    [
        ("americasnlp_dev.quy", "qu", 0.9),
        ("americasnlp_dev.aym", "ay", 0.8),
        ("americasnlp_quy_dev.es", "es", 0.7),
    ],
)
def test_real_sentences(file: str, code: str, least: float) -> None:
    counts = codes(file)
    # A sentence too short to tell has no language: that is not wrong.
    n, wrong = counts.total(), counts.total() - counts[code] - counts[""]
    assert counts[code] >= least * n, counts
    assert wrong <= 0.02 * n, counts


@pytest.mark.parametrize(
    "text",
    ["", "agua", "mana yaku kanchu", "the street is dark", "123 456 789 123 456 789 12", "¡¿…?!"],
)
def test_a_short_text_has_no_language(text: str) -> None:
    assert language.of(text) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("No recogen la basura de mi calle hace cinco días y hay mal olor", "es"),
        ("Ñanniykupi qhilli kashan, pipas pichanchu", "qu"),
        ("The street lights on our block have been out for two weeks now", "en"),
        ("NO RECOGEN LA BASURA DE MI CALLE HACE CINCO DIAS Y HAY MAL OLOR", "es"),
    ],
)
def test_plain_sentences(text: str, code: str) -> None:
    assert language.of(text) == code


def test_odd_characters_stop_nothing() -> None:
    text = "No recogen la basura\x00 de mi calle\ud83d\ue000 hace cinco días y hay mal olor"
    assert language.of(text.encode("utf-8", "ignore").decode()) == "es"
    assert language.of("\x00" * 50) == ""
    assert language.of("日本語のテキストは読めませんので人に回してください") in ("", "es", "en")


def test_each_language_has_a_name() -> None:
    assert language.name("qu").es == "quechua"
    assert language.name("").en == "language not recognised"
