"""The endpoints of a prediction service as methods."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from yupana.client import answers
from yupana.client.transport import Transport

PAGE = 500
"""Districts in one request: an answer of about 2 MB, in well under a second."""


class Client:
    """A prediction service at an address, for one use case.

    Args:
        url: the service's address, such as https://…
        key: the API key; without it, that in the environment variable YUPANA_API_KEY.
        use_case: whose endpoints are asked.
        timeout: seconds without a byte before a request counts as failed.
        retries: times that a request is sent again after 429, 502, 503, 504 or a cut
            connection, first after half a second, then twice as long each time, and never
            before `Retry-After`. What the service refuses is not sent again.

    Every method raises AccessError, RefusedError, LimitError or AwayError.
    """

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        use_case: str = "outbreak",
        timeout: float = 30.0,
        retries: int = 4,
    ) -> None:
        # The one variable that is read outside the platform's settings, which a caller lacks.
        key = key or os.environ.get("YUPANA_API_KEY", "")
        self._transport = Transport(url.rstrip("/"), key.strip(), timeout, retries)
        self._base = f"/v1/{use_case}"

    def forecast(
        self, ubigeos: str | Iterable[str], horizon: int = 8, as_of: date | None = None
    ) -> answers.Forecast:
        """Weekly cases of districts, 1 to `horizon` (at most 8) weeks ahead.

        Any number of districts: 500 go in a request. Asking twice is safe: each answer gets
        its own prediction_id.

        Args:
            ubigeos: INEI codes of six digits.
            as_of: the day to stand on; today when left out.
        """
        asked = [ubigeos] if isinstance(ubigeos, str) else list(ubigeos)
        pages = [
            self._page(asked[i : i + PAGE], horizon, as_of)
            # An empty list is asked as well: the service says what is wrong with it.
            for i in range(0, max(len(asked), 1), PAGE)
        ]
        return answers.Forecast(
            pages[0].as_of,
            tuple(p for page in pages for p in page.predictions),
            tuple(a for page in pages for a in page.abstentions),
        )

    def _page(self, ubigeos: list[str], horizon: int, as_of: date | None) -> answers.Forecast:
        body: dict[str, Any] = {"ubigeo": ubigeos, "horizon": horizon}
        if as_of:
            body["as_of"] = as_of.isoformat()
        path = f"{self._base}/forecast"
        return self._transport.read(answers.forecast, "POST", path, json=body)

    def alerts(self, department: str = "", as_of: date | None = None) -> dict[str, Any]:
        """Alert levels by district, the highest first; counts of them by level.

        Args:
            department: INEI code of two digits; the whole country when left out.
        """
        params = {"department": department} if department else {}
        params |= {"as_of": as_of.isoformat()} if as_of else {}
        return self._transport.read(dict, "GET", f"{self._base}/alerts", params=params)

    def simulate(
        self,
        ubigeo: str,
        *,
        recent_cases: float | list[int] | None = None,
        climate: dict[str, float] | None = None,
        horizon: int = 8,
    ) -> dict[str, Any]:
        """What the model would say, had its data been others: `baseline` and `simulated` weeks.

        Args:
            recent_cases: a factor (0-10) of the cases of the newest 4 weeks, or the cases of the
                newest 1 to 12 weeks, the oldest first.
            climate: `temperature` (°C added) and `precipitation` (factor), where the model
                reads climate.
        """
        body = {"ubigeo": ubigeo, "horizon": horizon}
        body |= {"recent_cases": recent_cases} if recent_cases is not None else {}
        body |= {"climate": climate} if climate is not None else {}
        return self._transport.read(dict, "POST", f"{self._base}/simulate", json=body)

    def explain(self, prediction_id: str) -> dict[str, Any]:
        """What moved a forecast, by group of features, and the nearest past seasons."""
        return self._transport.read(
            dict, "GET", f"{self._base}/explain/{quote(prediction_id, safe='')}"
        )

    def feedback(
        self,
        prediction_id: str,
        kind: str,
        *,
        week_ending: date | None = None,
        cases: int | None = None,
        comment: str = "",
    ) -> str:
        """Tell what happened ("observed"), or what is wrong ("complaint"); returns feedback_id.

        Sent again only where nothing was stored: a cut connection may have stored it already.
        """
        body: dict[str, Any] = {"kind": kind}
        body |= {"week_ending": week_ending.isoformat()} if week_ending else {}
        body |= {"cases": cases} if cases is not None else {}
        body |= {"comment": comment} if comment else {}
        path = f"/v1/feedback/{quote(prediction_id, safe='')}"
        return self._transport.read(
            lambda told: str(told["feedback_id"]), "POST", path, repeatable=False, json=body
        )

    def models(self) -> list[dict[str, Any]]:
        """The models that the service holds."""
        return self._transport.read(lambda told: list(told["models"]), "GET", "/v1/models")

    def card(self, prediction: answers.Prediction) -> str:
        """The card, in Markdown, of the model that made a prediction."""
        return self._transport.send("GET", prediction.model_card).text

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What any address of the service answers to a body, as it came."""
        return self._transport.read(dict, "POST", path, json=body)

    def close(self) -> None:
        """Close the connections."""
        self._transport.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
