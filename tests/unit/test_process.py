"""A component tells an error of ours as the command line does, and hands one reference on."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from yupana.console.process import component, errors_for_people
from yupana.core.errors import TerminalError, TransientError, YupanaError
from yupana.core.types import StepResult
from yupana.data.engine.spark import java_version
from yupana.database.engine import engine


def test_a_component_hands_its_first_reference_on() -> None:
    result = StepResult(step="fit", subject="x", status="done", outputs=("member:1", "other:2"))
    before = signal.getsignal(signal.SIGTERM)
    assert component(lambda: result) == "member:1"
    assert signal.getsignal(signal.SIGTERM) is before, "a caller's own handler is back"


@pytest.mark.parametrize(("kind", "code"), [(TerminalError, 1), (TransientError, 3)])
def test_a_component_tells_its_error_and_ends_by_its_code(
    kind: type[YupanaError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def step() -> StepResult:
        raise kind("It broke.", where="here", fix="Mend it.")

    with pytest.raises(SystemExit) as stopped:
        component(step)
    assert stopped.value.code == code
    assert capsys.readouterr().err == "yupana: It broke.\n  where: here\n  fix:   Mend it.\n"


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_may_not_be_written_to_is_told_without_a_stack(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def step() -> StepResult:
        raise OSError(number, os.strerror(number), "/home/locks")

    with pytest.raises(SystemExit) as stopped:
        component(step)
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert (
        message.startswith("yupana: A file or folder may not be used") and "/home/locks" in message
    )
    assert "YUPANA_HOME" in message


def test_other_trouble_of_the_system_keeps_its_stack() -> None:
    def step() -> StepResult:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "/home/locks")

    with pytest.raises(OSError, match="Input/output"):
        component(step)


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("postgresql+psycopg://nobody@127.0.0.1:1/x", 3, "See that the server runs"),
        ("mysql://x/y", 2, "postgresql+psycopg://USER@HOST/DATABASE"),
        ("postgresql://x/y", 2, "postgresql+psycopg://USER@HOST/DATABASE"),
    ],
)
def test_a_database_that_is_away_or_of_another_kind_is_told_without_a_stack(
    url: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped, errors_for_people():
        engine(url)
    assert stopped.value.code == code
    message = capsys.readouterr().err
    assert "YUPANA_PLATFORM_URL" in message and words in message


def test_java_is_the_one_that_spark_would_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert java_version() == 0
