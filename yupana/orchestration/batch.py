"""Publish one batch of a stream, as a file is published."""

from __future__ import annotations

from yupana.config.settings import Settings
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.core.types import StepResult
from yupana.data.contracts.contract import Contract
from yupana.data.files import landing
from yupana.data.lake import history
from yupana.data.sources import SourceFile
from yupana.data.streams import commit, spool
from yupana.lineage import steps
from yupana.orchestration import files, publication
from yupana.orchestration.disk import outside_trouble


def ingest_batch(
    settings: Settings, contract: Contract, batch: SourceFile, progress: Progress
) -> StepResult:
    """Publish a batch once; raises as `yupana.orchestration.ingest.ingest`."""
    name = contract.name
    alone = one_at_a_time(settings.lock(name), f"another ingest of {name}", progress)
    with alone, outside_trouble(settings):
        raw = files.land(settings, contract, batch)
        table = settings.table("published", contract.name)
        # A table of many batches has a long history: its last transaction says whether to look.
        new = spool.number(settings, raw) > commit.last(table, contract.name)
        before = None if new else history.standing(
            table, source_sha256=raw.sha256, contract_sha256=contract.sha256, adds_up=True
        )

        def work() -> steps.Outcome:
            if before:
                return publication.recovery(settings, contract.name, before)
            at = contract.at(spool.latest(settings, raw))
            known_on = landing.arrival_day(settings, raw)
            return publication.publish(settings, at, raw, known_on, progress, None)

        return steps.run(
            settings,
            "ingest",
            contract.name,
            work,
            inputs=raw.refs,
            depends_on=[contract.sha256, None],
            still_there=lambda _: before is not None,
            earlier=True,
            anew=new,
        )
