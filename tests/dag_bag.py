"""All DAGs of the project, as real Airflow reads them."""

from __future__ import annotations

import pytest

from yupana.config.settings import ROOT, settings
from yupana.orchestration import airflow_home


@pytest.fixture(scope="module")
def dags():
    with pytest.MonkeyPatch.context() as patch:
        for key, value in airflow_home.environment(settings()).items():
            patch.setenv(key, value)
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(dag_folder=str(ROOT / "dags"))
        assert not bag.import_errors, bag.import_errors
        yield bag.dags
