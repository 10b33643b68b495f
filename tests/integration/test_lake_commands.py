"""The commands with which people look at the lake: what they say, write and end with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import small_lake
from command import yupana
from small_lake import NAME, SECRET

from tests import event_rows
from yupana.config.settings import Settings

YUPANA = Path(sys.executable).parent / "yupana"


def run(lake: Settings, *words: str, code: int = 0) -> str:
    """stdout of a command that ends with `code` (stderr instead, when it is not 0)."""
    result = yupana(lake, *words)
    assert result.code == code, result.stderr
    return result.stdout if code in (0, 1) and result.stdout else result.stderr


def told(lake: Settings, *words: str, code: int = 0) -> Any:
    return json.loads(run(lake, *words, "--json", code=code).splitlines()[-1])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two publications, and three refused rows of the second file."""
    project = small_lake.make(tmp_path_factory.mktemp("lake"))
    small_lake.publish(project, small_lake.frame(), known_on="2024-03-20", source="a")
    rows = small_lake.frame(flags=2)
    small_lake.publish(
        project, rows, known_on="2024-04-01", source="b", quarantined=3, validation="v2"
    )
    small_lake.refuse(
        project,
        "b",
        [
            {"line": 17, "broken": {"week.range": "99"}},
            {"line": 18, "broken": {"row.parsed": "fever: aa, patient: 99999999"}},
            {"line": 30, "broken": {"week.range": "99", "diagnosis_class.codes": "A"}},
        ],
    )
    small_lake.refuse(project, "a", [{"line": 5, "broken": {"year.required": ""}}])
    return project


def test_datasets_lists_and_tells_all_of_one(lake: Settings) -> None:
    (entry,) = told(lake, "datasets")
    assert (entry["version"], entry["rows"], entry["known_on"]) == (1, 60, "2024-04-01")
    assert (entry["status"], entry["subject_area"]) == ("done", "epidemiology")
    text = run(lake, "datasets")
    assert "epidemiology" in text and NAME in text and "Red de Salud" in text
    one = told(lake, "datasets", NAME)
    assert one["contract"]["columns"][3]["unit"] == "°C"
    assert {"rule": "week.range", "says": "at least 1 and at most 53"} in one["contract"]["rules"]
    assert one["newest"]["files"] == 1 and one["newest"]["bytes"] > 0
    assert one["newest"]["source_sha256"] == "b" * 64
    text = run(lake, "datasets", NAME)
    for part in ("Temperatura", "pseudonymise", "b" * 64, "latency days", "week.range"):
        assert part in text


def test_the_installed_program_says_the_same(lake: Settings) -> None:
    """By name, in a process of its own: a good end and a bad one."""
    environment = {**lake.environment(), "YUPANA_ROOT": str(lake.root), "COLUMNS": "200"}
    for words in (["datasets"], ["history", "nothing"]):
        process = subprocess.run(
            [YUPANA, *words], env=environment, capture_output=True, text=True, timeout=60
        )
        assert (process.stdout, process.stderr, process.returncode) == yupana(lake, *words)
        assert "Traceback" not in process.stderr


def test_a_broken_contract_does_not_hide_the_others(tmp_path: Path) -> None:
    project = small_lake.make(tmp_path)
    folder = project.root / "expectations" / "broken"
    folder.mkdir()
    (folder / "contract.yaml").write_text("kind: DataContract\n")
    entries = told(project, "datasets")
    assert [e["name"] for e in entries] == ["broken", NAME]
    assert "Open Data Contract Standard" in entries[0]["status"]
    assert entries[1]["status"] == "never ingested"


def test_history_tells_what_was_known_when(lake: Settings) -> None:
    report = told(lake, "history", NAME, "--as-of", "2024-03-31")
    assert report["known"] == f"delta:published/{NAME}@0"
    assert [v["rows"]["quarantined"] for v in report["versions"]] == [0, 3]
    text = run(lake, "history", NAME)
    assert "2024-03-20" in text and "bbbbbbbbbbbb" in text and f"@{1}" in text
    assert "2024-03-20" in run(lake, "history", NAME, "--as-of", "2024-03-19", code=2)


def test_quarantine_names_lines_columns_and_shapes_but_no_person(lake: Settings) -> None:
    text = run(lake, "quarantine", NAME)
    assert "line 5" not in text and "use --all" in text, "a.csv was replaced"
    text = run(lake, "quarantine", NAME, "--all")
    assert "a.csv (SHA-256 aaaaaaaaaaaa…), superseded" in text
    assert "b.csv (SHA-256 bbbbbbbbbbbb…), current" in text
    assert "line 17, column Semana, rule week.range, value class 99" in text
    assert "line 18, column Temperatura, rule row.parsed, value class aa" in text
    assert "line 18, column DNI, rule row.parsed, value class (personal: not shown)" in text
    assert "at least 1 and at most 53" in text
    assert "line 5, column Año, rule year.required, no value" in text
    assert text.index("b.csv") < text.index("a.csv"), "the newest file first"
    assert SECRET not in text and "99999999" not in text
    report = told(lake, "quarantine", NAME, "--rule", "week.range", "--limit", "1")
    assert report["rows"] == 2 and len(report["lines"]) == 1
    assert report["by_rule"] == [
        {
            "rule": "week.range",
            "column": "Semana",
            "value_class": "99",
            "fix": "Write a value that is at least 1 and at most 53.",
            "rows": 2,
        }
    ]
    assert "week.range" in run(lake, "quarantine", NAME, "--rule", "nope", code=2)


def test_quality_and_profile_write_their_pages(lake: Settings) -> None:
    report = told(lake, "quality", NAME, "--as-of", "2024-04-10")
    usable = next(i for i in report["indicators"] if i["id"] == "usability")
    assert (usable["numerator"], usable["denominator"]) == (58, 63)
    assert Path(report["html"]).exists() and Path(report["json"]).exists()
    assert "58 of 63" in run(lake, "quality", NAME, "--as-of", "2024-04-10")
    report = told(lake, "profile", NAME, "--version", "0")
    assert report["html"].endswith(f"{NAME}-v0.html") and Path(report["html"]).exists()
    assert "left out: source_sha256, source_line, patient" in run(lake, "profile", NAME)


def test_trace_of_a_version_leads_to_file_audit_and_run(lake: Settings) -> None:
    report = told(lake, "trace", f"{NAME}@0")
    assert report["publication"]["source_sha256"] == "a" * 64
    assert report["publication"]["run"] == "run-a"
    assert report["audit"]["success"] is True
    assert report["trace"]["inputs"][0]["ref"] == f"raw:{'a' * 64}"
    text = run(lake, "trace", NAME)
    assert f"delta:published/{NAME}@1" in text and f"source file SHA-256: {'b' * 64}" in text
    assert "versions: 0, 1" in run(lake, "trace", f"{NAME}@9", code=2)


def test_trace_needs_no_event_log_for_where_a_version_is_from(tmp_path: Path) -> None:
    project = small_lake.make(tmp_path)
    small_lake.publish(project, small_lake.frame(), known_on="2024-03-20")
    event_rows.clear(project)
    report = told(project, "trace", NAME)
    assert report["trace"] is None and report["publication"]["source_sha256"] == "a" * 64


def test_standards_check_fails_by_exit_code(tmp_path: Path) -> None:
    project = small_lake.make(tmp_path)
    assert "Every standard is kept" in run(project, "standards", "check")
    path = project.root / "expectations" / NAME / "contract.yaml"
    path.write_text(path.read_text("utf-8").replace("name: note", "name: Nota"), encoding="utf-8")
    (fault,) = told(project, "standards", "check", NAME, code=1)
    assert (fault["column"], fault["standard"]) == ("Nota", "name.snake_case")
    assert "name.snake_case" in run(project, "standards", "list")
    page = tmp_path / "model.md"
    run(project, "standards", "model", "--to", str(page))
    assert f"### {NAME}" in page.read_text("utf-8")


@pytest.mark.parametrize(
    "command", ["history", "quarantine", "quality", "profile", "trace", "datasets"]
)
def test_unknown_and_never_ingested_say_what_to_do(tmp_path: Path, command: str) -> None:
    project = small_lake.make(tmp_path)
    assert run(project, command, "nothing", code=2)
    if command == "datasets":
        assert f"yupana ingest {NAME}" in run(project, command, NAME)
    else:
        assert f"yupana ingest {NAME}" in run(project, command, NAME, code=1)


@pytest.mark.parametrize(
    "words",
    [["datasets"], ["history"], ["quarantine"], ["quality"], ["profile"], ["trace"],
     ["standards", "check"], ["standards", "list"], ["standards", "model"]],
)  # fmt: skip
def test_help_gives_an_example(lake: Settings, words: list[str]) -> None:
    assert f"Example: yupana {' '.join(words)}" in run(lake, *words, "--help")
