"""Python client of a forecast service, with typed answers.

    from yupana.tasks.forecast.client import ForecastClient

    with ForecastClient("https://…", "outbreak", key) as service:
        for prediction in service.forecast(["160101", "160201"], horizon=4).predictions:
            print(prediction.entity, [period.median for period in prediction.periods])

It needs httpx and tenacity, and nothing of the platform.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from yupana.client.service import Client
from yupana.tasks.forecast import client_answers
from yupana.tasks.forecast.client_answers import Forecast, Period, Prediction

__all__ = ["Forecast", "ForecastClient", "Period", "Prediction"]

PAGE = 500
"""Entities in one request: an answer of about 2 MB, in well under a second."""


class ForecastClient(Client):
    """The endpoints of a use case that forecasts, as methods.

    Args:
        entity: the field that names the entity, as the spec of the use case says.

    The other arguments and the errors are those of `Client`.
    """

    def __init__(
        self, url: str, use_case: str, key: str = "", *, entity: str = "ubigeo", **options: Any
    ) -> None:
        super().__init__(url, use_case, key, **options)
        self._entity = entity

    def forecast(
        self, entities: str | Iterable[str], horizon: int | None = None, as_of: date | None = None
    ) -> Forecast:
        """Counts of entities, 1 to `horizon` periods ahead.

        Any number of entities: 500 go in a request. Asking twice is safe: each answer gets its
        own prediction_id.

        Args:
            entities: their codes.
            horizon: all periods that the model forecasts when left out.
            as_of: the day to stand on; today when left out.
        """
        codes = [entities] if isinstance(entities, str) else list(entities)
        # An empty list is asked as well: the service says what is wrong with it.
        starts = range(0, max(len(codes), 1), PAGE)
        pages = [self._page(codes[start : start + PAGE], horizon, as_of) for start in starts]
        return Forecast(
            pages[0].as_of,
            tuple(p for page in pages for p in page.predictions),
            tuple(a for page in pages for a in page.abstentions),
        )

    def _page(self, codes: list[str], horizon: int | None, as_of: date | None) -> Forecast:
        body: dict[str, Any] = {self._entity: codes}
        body |= {"horizon": horizon} if horizon is not None else {}
        body |= {"as_of": as_of.isoformat()} if as_of else {}
        return self._transport.read(
            lambda answer: client_answers.forecast(answer, self._entity),
            "POST",
            f"{self._base}/forecast",
            json=body,
        )

    def alerts(
        self, department: str = "", as_of: date | None = None, miss_cost: float | None = None
    ) -> dict[str, Any]:
        """Alert levels by entity, the highest first; counts of them by level.

        Args:
            department: code of two digits; the whole country when left out.
            miss_cost: what a missed alert costs, in false alarms: says of each entity whether one
                is `raised`.
        """
        return self.read(
            "alerts", department=department or None, as_of=as_of, miss_cost=miss_cost
        )

    def simulate(
        self,
        entity: str,
        *,
        recent_cases: float | list[int] | None = None,
        climate: dict[str, float] | None = None,
        horizon: int | None = None,
    ) -> dict[str, Any]:
        """What the model would say, had its data been others: `baseline` and `simulated`.

        Args:
            recent_cases: a factor (0-10) of the counts of the newest 4 periods, or the counts of
                the newest 1 to 12, the oldest first.
            climate: `temperature` (°C added) and `precipitation` (factor), where the model
                reads climate.
        """
        body: dict[str, Any] = {self._entity: entity}
        body |= {"horizon": horizon} if horizon is not None else {}
        body |= {"recent_cases": recent_cases} if recent_cases is not None else {}
        body |= {"climate": climate} if climate is not None else {}
        return self.call("simulate", body)
