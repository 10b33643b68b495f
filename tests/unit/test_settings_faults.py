"""What is wrong in the environment is one sentence, whichever command was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import yupana

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data.engine import memory, sail, spark


def refusal(lake: Settings, *words: str) -> str:
    result = yupana(lake, *words)
    assert result.code == 2 and "Traceback" not in result.stderr
    return result.stderr


def test_a_project_that_is_not_there(tmp_path: Path) -> None:
    lake = Settings(root=tmp_path / "nowhere", home=tmp_path / "home")
    assert f"YUPANA_ROOT={tmp_path / 'nowhere'}" in refusal(lake, "datasets")


def test_a_project_without_contracts_says_so(tmp_path: Path) -> None:
    result = yupana(Settings(root=tmp_path, home=tmp_path / "home"), "datasets")
    assert result.code == 0 and "There is no contract in" in result.stdout


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_home_that_is_a_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    home = tmp_path / "file" / below
    assert f"YUPANA_HOME={home}" in refusal(Settings(root=tmp_path, home=home), "datasets")


@pytest.mark.parametrize("name", ["mi casa", "año", "a{b}", "a?b", "a*b", "a[b]", "a%20b", "a#b",
                                  "a~b", "a^b", "a\\b", "a\nb", "日本"])  # fmt: skip
def test_a_home_that_the_engine_would_write_beside_of(tmp_path: Path, name: str) -> None:
    message = refusal(Settings(root=tmp_path, home=tmp_path / name / "home"), "datasets")
    assert "tables would lie beside it" in message and "Set YUPANA_HOME to" in message
    assert list(tmp_path.iterdir()) == [], "nothing is written before"


def test_a_home_below_a_folder_with_a_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mi casa").mkdir()
    monkeypatch.chdir(tmp_path / "mi casa")
    assert "a path with ' '" in refusal(Settings(root=tmp_path, home=Path("var")), "datasets")


@pytest.mark.parametrize("name", ["a.b_c-d", "a+b=c,d@e", "A1"])
def test_a_plain_home(tmp_path: Path, name: str) -> None:
    assert yupana(Settings(root=tmp_path, home=tmp_path / name), "datasets").code == 0


def test_a_plain_link_to_another_home(tmp_path: Path) -> None:
    (tmp_path / "mi casa").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mi casa")
    message = refusal(Settings(root=tmp_path, home=tmp_path / "link"), "datasets")
    assert f"which leads to {tmp_path / 'mi casa'}" in message


def test_a_setting_of_another_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Settings(root=tmp_path, home=tmp_path / "home")
    monkeypatch.setenv("YUPANA_KEEP_DAYS", "soon")
    assert "YUPANA_KEEP_DAYS=soon" in refusal(lake, "datasets")


@pytest.mark.parametrize("text", ["0g", "0", "2x", "", "-1g"])
def test_memory_that_is_none(tmp_path: Path, text: str) -> None:
    lake = Settings(home=tmp_path, engine_memory=text)
    with pytest.raises(UsageError, match=r"too little|not a size") as error:
        sail.environment(lake)
    assert error.value.where == "YUPANA_ENGINE_MEMORY"


def test_memory_that_spark_cannot_work_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "must_have_java", lambda: None)
    with pytest.raises(UsageError, match="too little"):
        spark.options(Settings(home=tmp_path, engine_memory="100m"), None, "")  # type: ignore[arg-type]
    assert memory.size("512m") == 512 << 20 and memory.size("2g") == 2 << 30
