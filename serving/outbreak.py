"""BentoML service: weekly dengue forecasts by district, with uncertainty and a trace.

An answer leaves only after it was recorded, so that no one can hold a forecast that the
platform does not know.
"""

from __future__ import annotations

import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import pandas as pd
from bentoml.exceptions import NotFound
from starlette.responses import Response

from serving.answer import Answer, Prediction, Week
from serving.features_ref import FeaturesRef
from serving.question import HOW_TO_ASK, Question
from serving.refusal import OneShape, refusal
from yupana.config.settings import settings
from yupana.core.errors import TerminalError, YupanaError
from yupana.core.forecast import QUANTILES
from yupana.features import store
from yupana.governance import events, predictions

USE_CASE = "outbreak"
POOLED = (
    "Distrito sin historia en el entrenamiento: pronóstico conjunto de todos los distritos. / "
    "District without history in training: pooled forecast of all districts."
)


def _deployed() -> bentoml.Model:
    try:
        return bentoml.models.get(f"{USE_CASE}:latest")
    except NotFound as error:
        raise TerminalError(
            "No model is deployed.",
            where="the BentoML model store",
            fix=f"Run `yupana train {USE_CASE}` and `yupana deploy {USE_CASE}`.",
        ) from error


@bentoml.service(name=USE_CASE, workers=1, traffic={"timeout": 30})
class Outbreak:
    """Pronóstico de casos de dengue por distrito / Dengue cases by district, 1-8 weeks ahead."""

    @bentoml.on_deployment
    def stop_early() -> None:
        """Refuse to start what cannot answer: BentoML restarts a failing worker for ever."""
        try:
            _deployed()
            store.online_ref(settings(), USE_CASE)
        except YupanaError as error:
            sys.exit(f"yupana: {error}")

    def __init__(self) -> None:
        # Here, so that BentoML's supervising process does not load torch as well.
        from models.outbreak import load

        self.settings = settings()
        model = _deployed()
        self.tag, self.version = str(model.tag), str(model.tag.version)
        self.forecaster = load(Path(model.path))
        self.service_name = self.forecaster.description.feature_service
        self.features_ref = FeaturesRef(self.settings, USE_CASE)
        # Asked once here: a model that cannot answer does not start, and no agency waits for
        # the first imports.
        known = list(self.forecaster.description.districts[:1])
        rows = store.online_features(self.settings, self.service_name, known)
        self.forecaster.quantiles(rows, QUANTILES)

    @bentoml.api(route="/v1/outbreak/forecast", input_spec=Question, output_spec=Answer)
    def forecast(self, ubigeo: list[str], horizon: int) -> Answer | Response:
        """Casos por semana con 23 cuantiles / cases by week with 23 quantiles."""
        rows = store.online_features(self.settings, self.service_name, ubigeo)
        unknown = rows.loc[rows["event_timestamp"].isna(), "ubigeo"].tolist()
        if unknown:
            return refusal(
                404,
                f"Sin datos recientes del distrito {', '.join(unknown)}. / "
                f"No recent data of district {', '.join(unknown)}.",
                where="ubigeo",
                fix="Use el código INEI de un distrito bajo vigilancia. / "
                "Use the INEI code of a district under surveillance.",
            )
        counts = self.forecaster.quantiles(rows, QUANTILES)
        made = [self._prediction(rows.iloc[i], counts[i, :horizon]) for i in range(len(rows))]
        self._record(rows, made)
        return Answer(predictions=made)

    def _prediction(self, row: pd.Series[Any], counts: np.ndarray[Any, Any]) -> Prediction:
        as_of = row["event_timestamp"].date()
        low, middle, high = (QUANTILES.index(level) for level in (0.10, 0.50, 0.90))
        weeks = [
            Week(
                horizon=h,
                week_ending=str(as_of + timedelta(weeks=h)),
                median=float(c[middle]),
                interval_80=(float(c[low]), float(c[high])),
                quantiles={str(q): float(v) for q, v in zip(QUANTILES, c, strict=True)},
            )
            for h, c in enumerate(counts, 1)
        ]
        return Prediction(
            prediction_id=uuid.uuid4().hex,
            ubigeo=row["ubigeo"],
            model=f"{USE_CASE}@{self.version}",
            data_as_of=str(as_of),
            weeks=weeks,
            caveats=[] if self.forecaster.knows(row["ubigeo"]) else [POOLED],
        )

    def _record(self, rows: pd.DataFrame, made: list[Prediction]) -> None:
        features = rows.drop(columns=["ubigeo", "event_timestamp"]).to_dict("records")
        log = [
            {
                "prediction_id": p.prediction_id,
                "use_case": USE_CASE,
                "model_version": self.version,
                "ubigeo": p.ubigeo,
                "data_as_of": p.data_as_of,
                "features": used,
                "answer": [w.model_dump() for w in p.weeks],
            }
            for p, used in zip(made, features, strict=True)
        ]
        predictions.record(self.settings.platform_db, log)
        events.append(
            self.settings.events,
            "predict",
            USE_CASE,
            status="done",
            inputs=(
                f"model:{USE_CASE}@{self.version}",
                f"deployment:{self.tag}",
                self.features_ref.now(),
            ),
            outputs=tuple(f"prediction:{p.prediction_id}" for p in made),
            facts={"rows": len(made)},
        )


Outbreak.add_asgi_middleware(OneShape, how_to_ask=HOW_TO_ASK)
