"""Python client of the prediction services: typed answers, retries, paging.

    from yupana.client import Client

    with Client("https://…", key) as service:
        for prediction in service.forecast(["160101", "160201"], horizon=4).predictions:
            print(prediction.ubigeo, [week.median for week in prediction.weeks])

It needs httpx and tenacity, and nothing of the platform.
"""

from yupana.client.answers import Abstention, Caveat, Forecast, Prediction, Week
from yupana.client.errors import (
    AccessError,
    AwayError,
    LimitError,
    RefusedError,
    ServiceError,
)
from yupana.client.service import Client

__all__ = [
    "Abstention",
    "AccessError",
    "AwayError",
    "Caveat",
    "Client",
    "Forecast",
    "LimitError",
    "Prediction",
    "RefusedError",
    "ServiceError",
    "Week",
]
