"""The stand-alone verifier in a bare interpreter, and the commands around it."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests import small_ledger
from tests.small_ledger import again, checked, hash_of
from yupana.cli.main import app
from yupana.config.settings import Settings, settings
from yupana.core.errors import UsageError
from yupana.ledger import entries, pseudonyms, signing, verifier, witness, writer
from yupana.ledger.entries import Entry
from yupana.ledger.verifier import lines_of


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A ledger that the commands of this process find."""
    config = small_ledger.make(tmp_path / "home", 3, 2, 2)
    monkeypatch.setenv("YUPANA_HOME", str(config.home))
    monkeypatch.setenv("YUPANA_LEDGER_WITNESS", str(config.ledger_witness))
    settings.cache_clear()
    yield config
    settings.cache_clear()


def say(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", *words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def alone(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Elsewhere, without the platform and without this environment's variables."""
    command = [sys.executable, "-I", "verifier.py", "export.jsonl", "--key", "ledger.pub", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={})


def test_the_verifier_runs_anywhere_with_cryptography_alone(
    ledger: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "auditor"
    folder.mkdir()
    shutil.copy(verifier.__file__, folder / "verifier.py")
    assert say("export", str(folder / "export.jsonl"))[0] == 0
    (folder / "ledger.pub").write_text(say("key")[1])
    assert ledger.ledger_witness
    elsewhere = [f"--witness={ledger.ledger_witness / witness.WITNESS}",
                 f"--roots={ledger.ledger_witness / witness.ROOTS}"]  # fmt: skip
    good = alone(folder, *elsewhere)
    assert (good.returncode, good.stderr) == (0, "") and good.stdout.startswith("ok: "), good
    assert alone(folder).stdout.startswith("not witnessed elsewhere"), "never plain ok"
    lines = [*lines_of(folder / "export.jsonl")]
    lines[3] = again(lines[3], subject="raw:other")
    (folder / "export.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    bad = alone(folder)
    assert bad.returncode == 1 and "changed at event 4" in bad.stdout
    (folder / "ledger.pub").write_text("no key")
    assert alone(folder).returncode == 2


def test_it_needs_the_standard_library_and_cryptography_alone() -> None:
    """What makes it faster it does without."""
    tree = ast.parse(Path(verifier.__file__).read_text())
    (spare,) = (n for n in tree.body if isinstance(n, ast.Try))
    assert ast.unparse(spare.body[0]) == "import orjson", "and falls back where it is not there"
    assert ast.unparse(spare.handlers[0].type or spare) == "ImportError"
    tree.body.remove(spare)
    names = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    rooms = {name.partition(".")[0] for name in names}
    assert rooms - set(sys.stdlib_module_names) == {"cryptography"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b""), (b'"n":1', b'"n": 1'), (b'"n":1', b'"n":1.0'), (b'"n":1', b'"n":1e0'),
        (b'"n":1', b'"n":NaN'), (b'"n":1', b'"n":1,"n":1'), (b'"n":1', b'"n":99999999999999999999'),
        (b"Iquitos", b"Iquit\\u006fs"), (b"Iquitos", b"Iquit\xff"), (b"Iquitos", b"\\ud800"),
        (b'"n":1', b'"n":' + b"[" * 2000 + b"]" * 2000), (b'"n":1', b'"n":-0'),
    ],
)  # fmt: skip
def test_it_says_the_same_with_and_without_what_makes_it_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes
) -> None:
    settings = small_ledger.make(tmp_path, 1, 3, 2)
    lines = small_ledger.exported(settings, tmp_path / "export.jsonl")
    place = next(i for i, line in enumerate(lines) if b'"n":1' in line)
    lines[place] = lines[place].replace(old, new) if old else lines[place]
    fast = small_ledger.checked(settings, lines)
    monkeypatch.setattr(verifier, "_CODECS", verifier._CODECS[-1:])
    assert small_ledger.checked(settings, lines) == fast and fast.ok == (not old), fast


def test_verify_tells_what_was_changed_and_fails(ledger: Settings, tmp_path: Path) -> None:
    assert say("verify")[0] == 0
    code, output = say("verify", "--json")
    assert code == 0 and json.loads(output)["ok"]
    file = tmp_path / "export.jsonl"
    say("export", str(file))
    assert say("verify", "--export", str(file))[0] == 0
    lines = [*lines_of(file)]
    file.write_bytes(b"\n".join(lines[:5] + lines[6:]) + b"\n")
    code, output = say("verify", "--export", str(file), "--json")
    assert code == 1 and (json.loads(output)["what"], json.loads(output)["first_bad"]) == (
        "deleted",
        6,
    )


def test_roots_are_kept_elsewhere_and_hold_against_the_ledger(
    ledger: Settings, tmp_path: Path
) -> None:
    code, output = say("roots", "--json")
    days = [json.loads(line)["day"] for line in output.splitlines()]
    assert code == 0 and days == ["2026-03-01", "2026-03-02"]
    file = tmp_path / "roots.jsonl"
    file.write_text(output)
    assert say("verify", "--roots", str(file))[0] == 0
    file.write_text(output.replace('"first":1,', '"first":2,'))
    code, output = say("verify", "--roots", str(file))
    assert code == 1 and "root forged" in output
    assert "2026-03-02  events" in say("roots")[1]


def test_events_are_listed_by_kind_and_subject_without_names(ledger: Settings) -> None:
    name = pseudonyms.pseudonym(ledger, "os:ana")
    writer.append(ledger, [Entry("approve", "outbreak@3", {"reason": "x" * 300}, name)])
    code, output = say("list", "--kind", "approve", "--subject", "outbreak@3")
    assert code == 0 and name in output and "ana" not in output and len(output.splitlines()) == 1
    assert len(json.loads(say("list", "--last", "3", "--json")[1])) == 3
    with pytest.raises(UsageError, match="no kind"):
        say("list", "--kind", "other")
    assert "nothing was recorded of that" in say("list", "--subject", "none")[1]


def test_who_is_behind_a_pseudonym_is_told_and_that_it_was_asked(ledger: Settings) -> None:
    name = pseudonyms.pseudonym(ledger, "os:ana")
    assert say("who", name) == (0, "os:ana\n")
    last = entries.newest(ledger.platform_db, "access")
    assert last and (last.kind, last.subject, last.facts) == ("access", name, {"what": "name"})
    assert say("forget", "os:ana")[0] == 0
    with pytest.raises(UsageError, match="Nobody is known"):
        say("who", name)
    with pytest.raises(UsageError, match="no such person"):
        say("forget", "os:ana")
    assert say("verify")[0] == 0


@pytest.mark.parametrize(
    "line",
    [
        b'{"actor":"","facts":{"a":1,"a":2},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"b":1,"a":2},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a":1e2},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a":NaN},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a":"\\u00f1"},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a":"\\ud800"},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a": 1},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a":1},"kind":"x","previous":"P","seq":true,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a":1},"kind":"x","previous":"P","seq":1.0,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{"a":1},"kind":"x","previous":"P","seq":1,"subject":"s","time":5}',
        b'{"actor":"","facts":[1],"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"actor":"","facts":{},"kinx":"x","previous":"P","seq":1,"subject":"s","time":"T"}',
        b'{"facts":' + b'{"a":' * 100_000,
        b"[" * 100_000,
        b"\xff\xfe",
        b"",
        b'{"a":"' + b"x" * (3 << 20) + b'"}',
    ],
)  # fmt: skip
def test_a_line_that_means_two_things_or_none_is_no_event(
    ledger: Settings, tmp_path: Path, line: bytes
) -> None:
    """A hash chain would hold over any bytes: the form is checked beside it."""
    event = line.replace(b'"P"', f'"{verifier.START}"'.encode())
    file = tmp_path / "bad.jsonl"
    file.write_bytes(event + b"\n")
    report = checked(ledger, [*lines_of(file)], export=False)
    assert (report.ok, report.first_bad, report.what) == (False, 1, "changed")


def test_two_lines_that_are_events_only_together_are_none(ledger: Settings) -> None:
    whole = b'{"actor":"","facts":{},"kind":"x","previous":"P","seq":1,"subject":"s","time":"T"}'
    first = whole.replace(b'"P"', f'"{verifier.START}"'.encode())
    # One line holds an event and the start of the next; the other one its end.
    lines = [first + b',{"actor":"","facts":{"l":[{}', b""]
    rest = f'],"x":1}},"kind":"x","previous":"{hash_of(lines[0])}","seq":2,"subject":"s"'
    lines[1] = b'{"a":1}' + rest.encode() + b',"time":"T"}'
    assert len(json.loads(b"[" + b",".join(lines) + b"]")) == 2, "as a list they would be two"
    assert checked(ledger, lines, export=False).first_bad == 1


def test_both_sides_agree_on_the_longest_event() -> None:
    assert entries.LONGEST_LINE == verifier.LONGEST_LINE and entries.START == verifier.START


def test_another_key_signs_nothing_of_ours(ledger: Settings, tmp_path: Path) -> None:
    other = small_ledger.make(tmp_path / "other", 1, 1, 1)
    lines = small_ledger.exported(ledger, tmp_path / "export.jsonl")
    assert checked(ledger, lines).ok
    assert not verifier.verify(iter(lines), signing.public_key(other)).ok
