"""Files and lines of each room before and after a change, as Markdown.

    python -m docs.rooms [BEFORE]                the table, BEFORE = a commit
    python -m docs.rooms [BEFORE] --write        also in docs/architecture.md
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

PAGE = Path(__file__).with_name("architecture.md")
ROOT = PAGE.parents[1]
BEFORE = "71ac7b8"
FOLDERS = ("dags", "pipelines", "serving", "models", "feature_repo", "expectations", "yupana")
MARK = "<!-- rooms -->"


def at(commit: str) -> Iterator[tuple[str, int]]:
    """(path, lines) of each Python file of a commit."""
    listed = _git("ls-tree", "-d", "--name-only", commit).decode().split()
    archive = _git("archive", commit, *(folder for folder in FOLDERS if folder in listed))
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            content = files.extractfile(member)
            if content and member.name.endswith(".py"):
                yield member.name, content.read().count(b"\n")


def here() -> Iterator[tuple[str, int]]:
    """(path, lines) of each Python file that stands here and git does not ignore."""
    paths = _git("ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS).decode()
    for path in paths.split("\n"):
        if path.endswith(".py") and (ROOT / path).exists():
            yield path, (ROOT / path).read_bytes().count(b"\n")


def room(path: str) -> str:
    """The room of a file: a folder of the project, of yupana, of its tasks or of a use case."""
    parts = PurePosixPath(path).parent.parts
    depth = {"yupana": 3 if parts[1:2] == ("tasks",) else 2, "models": 2, "serving": 2,
             "feature_repo": 2}.get(parts[0], 1)  # fmt: skip
    return "/".join(parts[:depth])


def counted(files: Iterable[tuple[str, int]]) -> dict[str, tuple[int, int]]:
    """Files and lines by room."""
    rooms: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for path, lines in files:
        count, total = rooms[room(path)]
        rooms[room(path)] = count + 1, total + lines
    return dict(rooms)


def table(before: str) -> str:
    """One row a room, and the sum."""
    old, new = counted(at(before)), counted(here())
    rows = ["| room | files before | lines before | files now | lines now |", "|---|--:|--:|--:|--:|"]
    for name in sorted({*old, *new}):
        rows.append(f"| `{name}` | {_cells(old.get(name))} | {_cells(new.get(name))} |")
    sums = (tuple(map(sum, zip(*rooms.values(), strict=True))) for rooms in (old, new))
    rows.append(f"| **all** | {' | '.join(_cells(s) for s in sums)} |")
    return "\n".join(rows)


def _cells(numbers: tuple[int, ...] | None) -> str:
    return " | ".join(f"{n:,}" for n in numbers) if numbers else "– | –"


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def main(*arguments: str) -> None:
    """Print the table; with `--write` put it into the page too."""
    commits = [a for a in arguments if a != "--write"]
    rows = table(commits[0] if commits else BEFORE)
    print(rows)
    if "--write" in arguments:
        start, _, end = PAGE.read_text("utf-8").split(MARK)
        PAGE.write_text(f"{start}{MARK}\n{rows}\n{MARK}{end}", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
