"""A file of labelled texts is read as the published ones are."""

from __future__ import annotations

from pathlib import Path

import pytest

from yupana.config.settings import ROOT, Settings
from yupana.core import spec
from yupana.core.errors import UsageError
from yupana.tasks.classify.dataset import texts
from yupana.tasks.classify.scoring import file_evaluation

HEADER = "id,proposalId,date,proposal_title,topic_derived,text\n"


def read(path: Path, content: str) -> list[dict[str, object]]:
    path.write_text(content, "utf-8")
    about = spec.load("complaints")
    settings = Settings(root=ROOT, home=path.parent)
    return texts.of_table(file_evaluation._read(settings, about, path), about).to_dicts()


def test_personal_data_are_masked(tmp_path: Path) -> None:
    (row,) = read(
        tmp_path / "a.csv",
        HEADER + "1,7,2025-01-31,Soy Ana Quispe,animales,Mi DNI es 45678901 y el perro ladra\n",
    )
    assert (row["entity"], row["group"], row["label"]) == ("1", "7", "animales")
    assert row["text"] == "Mi DNI es [DNI] y el perro ladra"
    assert "Quispe" not in str(row["title"])


def test_a_column_that_is_absent_is_named_as_published(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column 'topic_derived'"):
        read(tmp_path / "a.csv", HEADER.replace("topic_derived", "theme"))
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "a.csv", "")
