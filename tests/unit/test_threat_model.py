"""The pages on security name tests and files that are there, and all of OWASP's ten points."""

from __future__ import annotations

import re

import pytest

from yupana.config.settings import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize(("page", "least"), [("threat-model.md", 50), ("security.md", 1)])
def test_every_test_that_is_named_exists(page: str, least: int) -> None:
    names = set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", (DOCS / page).read_text("utf-8")))
    assert len(names) >= least
    for file, function in sorted(names):
        (path,) = (ROOT / "tests").rglob(file)
        assert f"def {function}(" in path.read_text("utf-8"), f"{file}::{function}"


def test_every_point_of_owasp_has_code_and_a_test() -> None:
    lines = (DOCS / "threat-model.md").read_text("utf-8").splitlines()
    points = [line.strip("| ").split(" | ") for line in lines if line.startswith("| API")]
    assert [cells[0].split()[0] for cells in points] == [f"API{n}" for n in range(1, 11)]
    for name, _, code, tests in points:
        files = re.findall(r"`([\w/]+\.py)`", code)
        assert files and "::" in tests, name
        assert not [file for file in files if not (ROOT / "yupana" / file).exists()], name
