"""The processes of one `yupana up`, so that none of them can be lost.

A file in the home names the process that leads and its parts; whoever reads it finds them all:
by the mark in their environment, by the session of a part (some of Airflow's processes write
their title over their environment), and by their parents.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import TransientError

MARK = "YUPANA_UP_ID"
STOP_SECONDS = 15


@dataclass(frozen=True)
class Member:
    """A process as it can be told from a later one with its number."""

    pid: int
    started: float

    def process(self) -> psutil.Process | None:
        """The process itself; None when it ended."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) < 1:
                return process
        return None


@dataclass
class ProcessGroup:
    """Who leads, and the parts, each of which leads a session of its own."""

    leader: Member
    mark: str
    parts: dict[str, Member] = field(default_factory=dict)

    def start(
        self, settings: Settings, name: str, command: list[str], env: dict[str, str], log: Path
    ) -> psutil.Popen:
        """Start a part in a session of its own and note it; its words go to `log`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as stream:
            child = psutil.Popen(
                command,
                cwd=settings.root,
                env={**env, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.parts[name] = Member(child.pid, child.create_time())
        save(settings, self)
        return child

    def members(self) -> list[psutil.Process]:
        """All that live, but for the leader."""
        # Where a part's number is another's now, its session is not ours either.
        sessions = {
            k.pid for k in self.parts.values() if k.process() or not psutil.pid_exists(k.pid)
        }
        processes = {p for p in psutil.process_iter() if self._bears(p) or _session(p) in sessions}
        for process in list(processes):
            with suppress(psutil.NoSuchProcess):
                processes.update(process.children(recursive=True))
        return [p for p in processes if p.pid != self.leader.pid]

    def end(self) -> int:
        """End all members, politely first; returns how many there were.

        Raises:
            TransientError: one lives on.
        """
        members = self.members()
        try:
            for process in members:
                with suppress(psutil.NoSuchProcess):
                    process.terminate()
            psutil.wait_procs(members, timeout=STOP_SECONDS)
        finally:
            # Also when a second Ctrl-C cut the wait short; with those born meanwhile.
            survivors = {*(p for p in members if p.is_running()), *self.members()}
            for process in survivors:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            _, alive = psutil.wait_procs(survivors, timeout=STOP_SECONDS)
        if alive:
            raise TransientError(
                f"These processes could not be ended: {', '.join(str(p.pid) for p in alive)}.",
                fix="End them by hand with kill -9, then run `yupana down` again.",
            )
        return len(members)

    def _bears(self, process: psutil.Process) -> bool:
        try:
            return bool(process.environ().get(MARK) == self.mark)
        except (psutil.Error, OSError):
            return False


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except OSError:
        return 0


def new() -> ProcessGroup:
    """A group that this process leads."""
    me = psutil.Process()
    return ProcessGroup(Member(me.pid, me.create_time()), uuid.uuid4().hex)


def save(settings: Settings, group: ProcessGroup) -> None:
    """Write the file; it is whole at any time."""
    whole_file.write_json(_path(settings), asdict(group))


def load(settings: Settings) -> ProcessGroup | None:
    """The group that the file names; None when there is none."""
    try:
        document = json.loads(_path(settings).read_text())
    except FileNotFoundError:
        return None
    parts = {name: Member(**member) for name, member in document["parts"].items()}
    return ProcessGroup(Member(**document["leader"]), document["mark"], parts)


def forget(settings: Settings) -> None:
    """Remove the file."""
    _path(settings).unlink(missing_ok=True)


def _path(settings: Settings) -> Path:
    return settings.home / "up.json"
