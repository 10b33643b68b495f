"""The page of the architecture names files and rooms that are there."""

from __future__ import annotations

import re

from docs import rooms
from yupana.config.settings import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_every_file_that_it_names_is_there() -> None:
    text = PAGE.split(rooms.MARK)[0]
    paths = {p for p in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if p.split("/")[0] != "tests"}
    assert len(paths) > 20
    assert not [p for p in paths if not (ROOT / p).exists()]


def test_the_walk_of_a_row_is_numbered() -> None:
    walk = re.findall(r"^\| (\d+) \| `(\S+)`", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in walk] == list(range(1, len(walk) + 1))


def test_each_room_of_yupana_is_counted() -> None:
    counts = rooms.counted(rooms.here())
    packages = {p.parent.name for p in (ROOT / "yupana").glob("*/__init__.py")}
    assert packages <= {name.split("/")[1] for name in counts if name.startswith("yupana/")}
    assert all(files > 0 and lines > 0 for files, lines in counts.values())


def test_rooms_of_a_kind_and_of_a_use_case_are_told_apart() -> None:
    kind = [("yupana/tasks/river/model/a.py", 3), ("yupana/tasks/river/b.py", 4)]
    others = [("yupana/gate/gate.py", 5), ("models/outflow/x/a.py", 1), ("dags/x/y.py", 2)]
    assert rooms.counted([*kind, *others]) == {
        "yupana/tasks/river": (2, 7), "yupana/gate": (1, 5), "models/outflow": (1, 1),
        "dags": (1, 2),
    }  # fmt: skip
