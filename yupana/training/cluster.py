"""Run a use case's pipeline on a Kubeflow cluster, with what its pods ask for from the settings."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from yupana.config import parent_run
from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import TerminalError, TransientError, UsageError

if TYPE_CHECKING:
    import kfp
    from kfp.dsl import PipelineTask

HOME = "/var/lib/yupana"
"""Where the shared volume is mounted in each pod."""

GPU, GPU_LABEL = "nvidia.com/gpu", "nvidia.com/gpu.product"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
POLL_SECONDS = 10.0
ENDED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
LOST = 6
"""Polls in a row without an answer after which nobody waits any longer."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A run on the cluster; `link` is its page."""

    id: str
    link: str


def placing(settings: Settings, learns: tuple[str, ...]) -> Callable[[PipelineTask], None]:
    """Gives each task its image, limits, queue and the shared volume.

    Args:
        learns: names of the tasks that get the GPUs.
    """
    # The fields of `KubernetesExecutorConfig` in
    # github.com/kubeflow/pipelines/blob/master/kubernetes_platform/proto.
    common: dict[str, Any] = {}
    if settings.kfp_volume:
        common["pvcMount"] = [{"constant": settings.kfp_volume, "mountPath": HOME}]
    if settings.queue:
        common["podMetadata"] = {"labels": {QUEUE_LABEL: settings.queue}}
    ours = {"HOME": HOME, "SEED": str(settings.seed), "PROJECT": settings.project}
    variables = {f"YUPANA_{name}": value for name, value in ours.items()}
    variables |= parent_run.environment()
    if settings.cpu_limit:
        # Else torch starts a thread for each core of the node, and they wait for each other.
        variables["OMP_NUM_THREADS"] = str(_threads(settings.cpu_limit))

    def place(task: PipelineTask) -> None:
        # Not by `set_env_variable` and `set_container_image`: each reads the source of the whole
        # call stack for a message that it may have to write (kfp 2.16), 6 s a pipeline.
        task.container_spec.image = settings.image
        task.container_spec.env = {**(task.container_spec.env or {}), **variables}
        if settings.cpu_limit:
            task.set_cpu_limit(settings.cpu_limit)
        if settings.memory_limit:
            task.set_memory_limit(settings.memory_limit)
        executor_config = dict(common)
        if settings.gpu_count and task.name in learns:
            task.set_accelerator_type(GPU).set_accelerator_limit(settings.gpu_count)
            if settings.gpu_type:
                executor_config["nodeSelector"] = {"labels": {GPU_LABEL: settings.gpu_type}}
        if executor_config:
            task.platform_config["kubernetes"] = executor_config

    return place


def _threads(cpus: str) -> int:
    """Whole CPUs of a limit such as 4, 0.5 or 2500m; at least one."""
    milli = cpus.endswith("m")
    return max(1, int(float(cpus.rstrip("m")) / (1000 if milli else 1)))


def submit(settings: Settings, use_case: str, arguments: Mapping[str, str], say: Say) -> Run:
    """Compile the pipeline for this cluster and start a run of it.

    Args:
        arguments: of the pipeline, all text.

    Raises:
        UsageError: no cluster is set, a limit cannot be read, or the token is refused.
        TransientError: the cluster does not answer.
    """
    pipeline = usecase.pipeline(use_case).PIPELINE
    client = _client(settings)
    with tempfile.TemporaryDirectory(prefix="yupana-pipeline-") as folder:
        path = Path(folder) / f"{use_case}.yaml"
        try:
            pipeline.compile_to(path, placing(settings, pipeline.learns))
        except ValueError as error:
            raise UsageError(
                f"The pods cannot ask for that: {error}",
                where="YUPANA_CPU_LIMIT, YUPANA_MEMORY_LIMIT, YUPANA_GPU_COUNT",
                fix="Write CPUs like 4 or 500m, and memory like 16Gi.",
            ) from error
        with _client_errors(settings):
            response = client.create_run_from_pipeline_package(
                str(path),
                arguments=dict(arguments),
                run_name=f"{use_case} {arguments.get('as_of') or 'newest'}",
                experiment_name=use_case,
                namespace=settings.kfp_namespace or None,
            )
    run = Run(response.run_id, f"{settings.kfp_host.rstrip('/')}/#/runs/details/{response.run_id}")
    say(f"submitted: {run.link}")
    return run


def wait(settings: Settings, run: Run, say: Say) -> str:
    """Stay until a run ends, telling each task's state as it changes; returns how it ended.

    KFP's own `wait_for_run_completion` stays for ever by a run that was cancelled, gives up at the
    first answer that is lost, and names no task.

    Raises:
        TerminalError: it failed or was stopped; names the tasks.
        TransientError: the cluster does not answer any longer; the run goes on.
    """
    client = _client(settings)
    states: dict[str, str] = {}
    while (response := _read(settings, client, run)).state not in ENDED:
        states = _tell(states, response, say)
        time.sleep(POLL_SECONDS)
    states = _tell(states, response, say)
    if response.state in ("FAILED", "CANCELED"):
        failed = ", ".join(n for n, s in states.items() if s == "FAILED") or "no task"
        raise TerminalError(
            f"The run ended as {response.state} ({failed} failed).",
            where=run.link,
            fix="Read that task's log there. Submit again: steps that were done are kept.",
        )
    return str(response.state)


def _read(settings: Settings, client: kfp.Client, run: Run) -> Any:
    """The run as it stands; an answer that is lost is asked for again."""
    import tenacity

    def ask() -> Any:
        with _client_errors(settings):
            return client.get_run(run.id)

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_after_attempt(LOST),
        wait=tenacity.wait_fixed(POLL_SECONDS),
        reraise=True,
    )
    try:
        return attempts(ask)
    except TransientError as error:
        raise TransientError(
            error.what, where=run.link, fix="The run goes on there; see its page."
        ) from error


def _tell(states: dict[str, str], response: Any, say: Say) -> dict[str, str]:
    """Say which tasks have another state than before; returns the states as they are now."""
    newest = _states(response)
    for name, state in newest.items():
        if states.get(name) != state:
            say(f"{name}: {state.lower()}")
    return states | newest


def _states(response: Any) -> dict[str, str]:
    """State by task, without the graph's own nodes."""
    details = response.run_details.task_details if response.run_details else None
    return {
        t.display_name: t.state
        for t in details or []
        if t.state and t.display_name not in ("root",) and not t.display_name.endswith("-driver")
    }


def _client(settings: Settings) -> kfp.Client:
    if not settings.kfp_host:
        raise UsageError(
            "No Kubeflow cluster is set.",
            where="YUPANA_KFP_HOST",
            fix="Set it to the address of the Kubeflow Pipelines API, or train without --cluster.",
        )
    token = _token(settings)
    _answers(settings, token)
    import warnings

    import kfp

    with warnings.catch_warnings():
        # That it speaks to KFP 2 only, at every start.
        warnings.simplefilter("ignore", FutureWarning)
        return kfp.Client(
            host=settings.kfp_host,
            namespace=settings.kfp_namespace or "kubeflow",
            existing_token=token,
        )


def _token(settings: Settings) -> str | None:
    if settings.kfp_token is None:
        return None
    try:
        return settings.kfp_token.read_text().strip()
    except OSError as error:
        raise UsageError(
            f"The token cannot be read: {error}", where="YUPANA_KFP_TOKEN", fix="Name its file."
        ) from error


def _answers(settings: Settings, token: str | None) -> None:
    """Ask once whether it is there: the client itself would try for half a minute."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"{settings.kfp_host.rstrip('/')}/apis/v2beta1/healthz"
    try:
        with urlopen(Request(address, headers=headers), timeout=settings.http_timeout):
            pass
    except HTTPError as error:
        raise _refusal(settings, error.code, str(error.reason)) from error
    except (URLError, OSError, ValueError) as error:
        raise _unreachable(settings, str(getattr(error, "reason", error))) from error


@contextmanager
def _client_errors(settings: Settings) -> Iterator[None]:
    """Turn the client's errors into ours; what it prints goes to the log."""
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError as Lost

    try:
        with redirect_stdout(sys.stderr):
            yield
    except ApiException as error:
        raise _refusal(settings, int(error.status or 0), str(error.reason)) from error
    except (Lost, OSError) as error:
        raise _unreachable(settings, str(error)) from error


def _refusal(settings: Settings, status: int, reason: str) -> Exception:
    if status in (401, 403):
        return UsageError(
            f"The cluster refuses the token ({status} {reason}).",
            where=settings.kfp_host,
            fix="Put a valid token into the file that YUPANA_KFP_TOKEN names; check that it may "
            "run pipelines in YUPANA_KFP_NAMESPACE.",
        )
    if status >= 500 or status == 429:
        return _unreachable(settings, f"{status} {reason}")
    return TerminalError(
        f"The cluster refuses the run ({status} {reason}).",
        where=settings.kfp_host,
        fix="Check YUPANA_KFP_HOST and YUPANA_KFP_NAMESPACE.",
    )


def _unreachable(settings: Settings, reason: str) -> TransientError:
    return TransientError(
        f"The Kubeflow cluster does not answer: {reason}",
        where=settings.kfp_host,
        fix="Check YUPANA_KFP_HOST and the network, then run it again.",
    )
