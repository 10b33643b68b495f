"""The developer's pages: their programs run against the service, and their tables hold."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from conftest import Thread

from yupana.config.settings import ROOT

DOCS = ROOT / "docs" / "api"
SAMPLES = DOCS / "samples"
SERVING = [
    path
    for room in ("yupana/serving", "yupana/tasks/forecast/serving")
    for path in (ROOT / room).rglob("*.py")
]
PAGE = (DOCS / "index.md").read_text(encoding="utf-8")
ERRORS = (DOCS / "errors.md").read_text(encoding="utf-8")
ASKED = {
    "/v1/outbreak/forecast": {"ubigeo": "160101", "horizon": 1, "as_of": "2022-01-05"},
    "/v1/outbreak/simulate": {"ubigeo": "160101", "horizon": 1, "recent_cases": 2.0},
    "/v1/feedback/": {"kind": "observed", "week_ending": "2022-01-08", "cases": 4},
}


def blocks(page: str, marker: str) -> dict[str, str]:
    """Fenced blocks after a comment that names them."""
    matches = re.findall(rf"<!-- {marker}(.*?) -->\n```\w+\n(.*?)^```$", page, re.S | re.M)
    return dict(matches)


def ask(thread: Thread, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {thread.key}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(thread.url + path, data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def lacking(example: Any, real: Any, at: str = "") -> list[str]:
    """Where an example has what the answer has not; a list is told by its first element."""
    if isinstance(example, dict):
        if not isinstance(real, dict):
            return [at]
        missing = [f"{at}.{k}" for k in example if k not in real]
        both = (k for k in example if k in real)
        return missing + [m for k in both for m in lacking(example[k], real[k], f"{at}.{k}")]
    if isinstance(example, list) and isinstance(real, list):
        return lacking(example[0], real[0], f"{at}[]") if example and real else []
    return [] if real is None or isinstance(real, type(example)) else [at]


def test_the_page_shows_the_very_programs() -> None:
    programs = blocks(PAGE, "samples/")
    assert programs == {p.name: p.read_text(encoding="utf-8") for p in SAMPLES.iterdir()}


def test_every_caveat_and_abstention_is_on_the_page() -> None:
    sources = [p.read_text(encoding="utf-8") for p in SERVING]
    codes = {c for text in sources for c in re.findall(r'\bnote\(\s*"([a-z_]+)"', text)}
    assert codes and not {c for c in codes if f"`{c}`" not in PAGE}


def test_every_problem_is_on_the_page() -> None:
    from yupana.serving.http.auth_errors import _REASONS, _UNFIT
    from yupana.serving.http.refusal import _CODES

    sources = [p.read_text(encoding="utf-8") for p in SERVING]
    codes = {c for text in sources for c in re.findall(r'\bcode="([a-z_]+)"', text)}
    codes |= {*_CODES.values(), "failed", "invalid_key"}
    codes |= {"suspended", "not_admitted"}
    codes |= {reason[0] for reason in (*_REASONS.values(), *_UNFIT.values())}
    assert not {c for c in codes if f"`{c}`" not in ERRORS}


@pytest.mark.thread
@pytest.mark.parametrize(
    ("program", "sample"),
    [
        ("bash", "curl.sh"),
        (sys.executable, "python_client.py"),
        (sys.executable, "python_plain.py"),
        ("node", "javascript.mjs"),
        ("Rscript", "r.R"),
    ],
)
def test_a_program_of_the_page_runs_as_it_stands(
    thread: Thread, tmp_path: Path, program: str, sample: str
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    if program == "Rscript":
        absent = subprocess.run(["Rscript", "-e", "library(httr2)"], capture_output=True)
        if absent.returncode:
            pytest.skip("R is here without httr2")
    environment = {
        **os.environ,
        "YUPANA_URL": thread.url,
        "YUPANA_API_KEY": thread.key,
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.run(
        [program, str(SAMPLES / sample)], cwd=tmp_path, env=environment, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-2000:]
    # The forecast, the explanation and the model came through.
    for phrase in ("160101", "2022-01-08", "outbreak@"):
        assert phrase in process.stdout, process.stdout[-2000:]
    assert re.search(r"^- El modelo espera|\"groups\"|feedback_id", process.stdout, re.M)


@pytest.mark.thread
@pytest.mark.parametrize("name", sorted(blocks(PAGE, "answer: ")))
def test_an_answer_on_the_page_has_the_fields_of_the_real_one(thread: Thread, name: str) -> None:
    path = name.split(" ", 1)[1]
    if path.endswith("/"):
        answer = ask(thread, "/v1/outbreak/forecast", ASKED["/v1/outbreak/forecast"])
        path += answer["predictions"][0]["prediction_id"]
    body = next((b for start, b in ASKED.items() if path.startswith(start)), None)
    assert lacking(json.loads(blocks(PAGE, "answer: ")[name]), ask(thread, path, body)) == []


@pytest.mark.thread
def test_an_error_on_the_page_has_the_fields_of_the_real_one(thread: Thread) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(thread, "/v1/outbreak/forecast", {"ubigeo": "160101", "horizon": 9})
    (example,) = blocks(ERRORS, "problem").values()
    real = json.load(caught.value)
    assert set(json.loads(example)) == set(real)
    assert (real["status"], real["where"]) == (400, "horizon")
