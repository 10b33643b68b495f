"""Labelling functions by YAML and by Python: what they find, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml
from small_texts import LABELLING, NAME, PYTHON, write_use_case

from yupana.config.settings import ROOT
from yupana.core.errors import UsageError
from yupana.tasks.classify.labelling import definitions, folding, functions, votes
from yupana.tasks.classify.labelling.definitions import Definition
from yupana.tasks.classify.labelling.functions import Labelling


def cast(text: str, title: str = "", given: dict | None = None, **about: object) -> bool:
    """Whether a function labels a text."""
    function = functions.of_definition(
        Definition.model_validate({"name": "one", "version": 1, "label": "a", **about})
    )
    frame = pl.DataFrame({"entity": ["e"], "title": [title], "text": [text]})
    matrix = votes.of(Labelling(("a", "b"), (function,)), frame, given or {}).matrix
    return bool(matrix[0, 0] == 0)


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("Los ÁRBOLES del parque", {"any": ["arboles"]}, True),
        ("Los arboles del parque", {"any": ["Árboles"]}, True),
        ("desarboles", {"any": ["arboles"]}, False),
        ("Un carril-bici nuevo", {"any": ["carril bici"]}, True),
        ("Un carril para la bici", {"any": ["carril bici"]}, False),
        ("perros sueltos", {"any": ["perro"]}, False),
        ("perros sueltos", {"any": ["perr*"]}, True),
        ("agua y luz", {"all": ["agua", "luz"]}, True),
        ("agua sin más", {"all": ["agua", "luz"]}, False),
        ("agua del metro", {"any": ["agua"], "none": ["metro"]}, False),
        ("a.b.c (2+2)?", {"any": ["2+2"]}, True),
    ],
)
def test_words(text: str, words: dict[str, list[str]], found: bool) -> None:
    assert cast(text, words=words) == found


def test_a_function_reads_the_part_that_it_names() -> None:
    words = {"any": ["agua"]}
    assert cast("nada", "Agua", words=words)
    assert cast("nada", "Agua", words=words, reads="title")
    assert not cast("nada", "Agua", words=words, reads="text")


def test_a_pattern_is_blind_to_accents_and_capitals() -> None:
    assert cast("AUTOBÚS 27", pattern=r"autobús \d+")
    assert cast("autobus 27", pattern=r"Autobús \d+")
    assert not cast("autobus", pattern=r"autobús \d+")


def test_a_pattern_that_explodes_elsewhere_takes_no_time() -> None:
    start = time.monotonic()
    assert not cast("a" * 19_000 + "!", pattern=r"(a+)+$|(a|a)*b")
    assert time.monotonic() - start < 5


def test_a_source_stands_for_a_label() -> None:
    given = {"clerk": {"e": "lamps"}}
    assert cast("x", given=given, source={"of": "clerk", "says": ["lamps"]})
    assert not cast("x", given=given, source={"of": "clerk"})
    assert not cast("x", given=given, source={"of": "reviewer", "says": ["lamps"]})


FUNCTION = {"name": "one", "version": 1, "label": "a"}


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"label": "z", "words": {"any": ["x"]}}, "the whole file", "not among"),
        ({"words": {"any": ["x"]}, "pattern": "x"}, "functions.0", "one alone"),
        ({}, "functions.0", "one alone"),
        ({"words": {"none": ["x"]}}, "functions.0.words", "must name a word"),
        ({"words": {"any": ["..."]}}, "functions.0.words.any", "has no word"),
        ({"words": {"any": ["ab*"]}}, "functions.0.words.any", "too many words"),
        ({"pattern": "(?=a)b"}, "functions.0.pattern", "not understood"),
        ({"pattern": r"(a)\1"}, "functions.0.pattern", "not understood"),
        ({"pattern": "(a"}, "functions.0.pattern", "unterminated"),
        ({"pattern": "a*"}, "functions.0.pattern", "empty text"),
        ({"pattern": "((a{900}){900}){90}b"}, "functions.0.pattern", "exceeds size"),
        ({"version": 0, "pattern": "x"}, "functions.0.version", "greater"),
        ({"name": "Über", "pattern": "x"}, "functions.0.name", "pattern"),
        ({"pattern": "x", "colour": "red"}, "functions.0.colour", "Extra"),
        ({"source": {"of": "rumour"}}, "functions.0.source.of", "publisher"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_field(
    tmp_path: Path, change: dict[str, object], field: str, says: str
) -> None:
    path = tmp_path / "labelling.yaml"
    path.write_text(yaml.safe_dump({"labels": ["a", "b"], "functions": [{**FUNCTION, **change}]}))
    with pytest.raises(UsageError, match=says) as error:
        definitions.read(path)
    assert error.value.where == f"{path}, {field}" and error.value.fix


def test_a_file_that_is_absent_or_says_a_field_twice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no labels"):
        definitions.read(tmp_path / "labelling.yaml")
    (tmp_path / "twice.yaml").write_text("labels: [a, b]\nlabels: [c, d]\n")
    with pytest.raises(UsageError, match="no YAML") as error:
        definitions.read(tmp_path / "twice.yaml")
    assert error.value.where.endswith(", line 1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from write_use_case(tmp_path, monkeypatch, python=PYTHON)


def test_a_function_that_raises_abstains_and_is_named(folder: Path) -> None:
    labelling = functions.load(NAME)
    assert [f.author for f in labelling.functions][-1] == "loud@1"
    frame = pl.DataFrame({
        "entity": ["1", "2", "3"], "title": ["", "", ""], "text": ["BASTA YA", "SECRETO", "no"],
    })  # fmt: skip
    result = votes.of(labelling, frame, {})
    assert result.matrix[:, -1].tolist() == [2, votes.ABSTAINS, votes.ABSTAINS]
    [failure] = result.failures
    assert (failure.function, failure.entity) == ("loud@1", "2")
    assert "ValueError" in failure.error and "SECRETO" not in failure.error
    assert votes.table(result, {})[-1].failures == 1


def test_a_label_that_is_none_counts_as_a_failure(folder: Path) -> None:
    (folder / "labelling.py").write_text(PYTHON.replace('"ruido" if', '"noise" if'))
    frame = pl.DataFrame({"entity": ["1"], "title": [""], "text": ["BASTA YA"]})
    [failure] = votes.of(functions.load(NAME), frame, {}).failures
    assert (failure.function, failure.entity) == ("loud@1", "1")


def test_two_functions_of_one_name_are_refused(folder: Path) -> None:
    (folder / "labelling.py").write_text(PYTHON.replace('"loud", 1', '"water", 2'))
    with pytest.raises(UsageError, match="called 'water'"):
        functions.load(NAME)


def test_a_change_is_seen_by_the_digest() -> None:
    one = {**FUNCTION, "words": {"any": ["x"]}}
    same, other = ({**one, "words": {"any": [w]}} for w in ("x", "y"))
    digests = [functions.of_definition(Definition.model_validate(d)).digest
               for d in (one, same, other)]  # fmt: skip
    assert digests[0] == digests[1] != digests[2]


def test_the_table_of_functions() -> None:
    labelling = Labelling(("a", "b"), tuple(
        functions.of_definition(Definition.model_validate(
            {"name": name, "version": 1, "label": label, "words": {"any": [word]}}
        )) for name, label, word in (("one", "a", "x"), ("two", "b", "y"), ("three", "a", "w"))
    ))  # fmt: skip
    words = ["x"] * 5 + ["x y"] + ["y"] * 3 + [""]
    frame = pl.DataFrame({"entity": [*"0123456789"], "title": [""] * 10, "text": words})
    known = {**dict.fromkeys("0123", "a"), "4": "b", "5": "a", "6": "b"}
    one, two, three = votes.table(votes.of(labelling, frame, {}), known)
    assert (one.coverage, one.overlap, one.conflict) == (0.6, 0.1, 0.1)
    assert (one.accuracy, one.known, one.labels) == (5 / 6, 6, ("a",))
    assert (two.coverage, two.accuracy, two.known) == (0.4, None, 2)
    assert (three.coverage, three.labels) == (0, ())


def test_the_functions_that_are_shipped_can_be_used() -> None:
    for path in (ROOT / "models").glob("*/labelling.yaml"):
        assert len(definitions.read(path).functions) >= 15
    assert folding.fold("ÑANDÚ Straße") == "nandu strasse" and LABELLING
