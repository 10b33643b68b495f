"""The endpoints of a prediction service as methods."""

from __future__ import annotations

import os
from datetime import date
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from yupana.client.transport import Transport


class Client:
    """A prediction service at an address, for one use case.

    Args:
        url: the service's address, such as https://…
        use_case: whose endpoints are asked.
        key: the API key; without it, that in the environment variable YUPANA_API_KEY.
        timeout: seconds without a byte before a request counts as failed.
        retries: times that a request is sent again after 429, 502, 503, 504 or a cut
            connection, first after half a second, then twice as long each time, and never
            before `Retry-After`. What the service refuses is not sent again.

    Every method raises AccessError, RefusedError, LimitError or AwayError.
    """

    def __init__(
        self,
        url: str,
        use_case: str,
        key: str = "",
        *,
        timeout: float = 30.0,
        retries: int = 4,
    ) -> None:
        # The one variable that is read outside the platform's settings, which a caller lacks.
        key = key or os.environ.get("YUPANA_API_KEY", "")
        self._transport = Transport(url.rstrip("/"), key.strip(), timeout, retries)
        self._base = f"/v1/{use_case}"

    def call(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the use case answers to a body: `POST /v1/<use case>/<action>`."""
        return self._transport.read(dict, "POST", f"{self._base}/{action}", json=body)

    def read(self, action: str, **query: Any) -> dict[str, Any]:
        """What the use case answers to a question: `GET /v1/<use case>/<action>`.

        Args:
            query: its parameters; those that are None are left out.
        """
        params = {name: str(value) for name, value in query.items() if value is not None}
        return self._transport.read(dict, "GET", f"{self._base}/{action}", params=params)

    def submit(self, body: dict[str, Any], request: str = "") -> dict[str, Any]:
        """Hand something in, `POST /v1/<use case>`, and get its receipt.

        Args:
            request: names what is handed in (16-64 letters, digits, `_` or `-`): sent again, the
                same receipt comes back. Without it, it is sent once.
        """
        headers = {"Idempotency-Key": request} if request else {}
        again = bool(request)
        return self._transport.read(
            dict, "POST", self._base, repeatable=again, json=body, headers=headers
        )

    def follow(self, receipt: str, secret: str) -> dict[str, Any]:
        """What became of what was handed in."""
        path = f"{self._base}/{quote(receipt, safe='')}"
        return self._transport.read(dict, "GET", path, headers={"X-Receipt-Secret": secret})

    def explain(self, prediction_id: str) -> dict[str, Any]:
        """What moved a prediction, by group of features."""
        return self.read(f"explain/{quote(prediction_id, safe='')}")

    def feedback(
        self,
        prediction_id: str,
        kind: str,
        *,
        comment: str = "",
        **outcome: Any,
    ) -> str:
        """Tell what happened ("observed"), or what is wrong ("complaint"); returns feedback_id.

        Args:
            outcome: what happened, in the fields of the use case; days as dates.

        Sent again only where nothing was stored: a cut connection may have stored it already.
        """
        body: dict[str, Any] = {"kind": kind}
        body |= {k: v.isoformat() if isinstance(v, date) else v for k, v in outcome.items()}
        body |= {"comment": comment} if comment else {}
        path = f"/v1/feedback/{quote(prediction_id, safe='')}"
        return self._transport.read(
            lambda answer: str(answer["feedback_id"]), "POST", path, repeatable=False, json=body
        )

    def models(self) -> list[dict[str, Any]]:
        """The models that the service holds."""
        return self._transport.read(lambda answer: list(answer["models"]), "GET", "/v1/models")

    def card(self, address: str) -> str:
        """The card of a model, in Markdown; an answer tells its address as `model_card`."""
        return self._transport.send("GET", address).text

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
