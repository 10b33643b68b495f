"""Python client of the prediction services: retries, typed errors, answers as they came.

    from yupana.client import Client

    with Client("https://…", "USE_CASE", key) as service:
        answer = service.call("ACTION", {…})

A kind of use case has a client with typed answers, such as `yupana.tasks.forecast.client`. It
needs httpx and tenacity, and nothing of the platform.
"""

from yupana.client.answers import Abstention, Caveat
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
    "LimitError",
    "RefusedError",
    "ServiceError",
]
