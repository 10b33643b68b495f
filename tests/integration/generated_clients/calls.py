"""The guide's calls (docs/api) by a client that openapi-python-client made from the description."""

import os
from datetime import date
from typing import TypeVar

from agency import AuthenticatedClient
from agency.api.default import alerts, explain, feedback, forecast, models, simulate
from agency.models import (
    Alerts,
    Answer,
    Explanation,
    FeedbackFeedback,
    FeedbackFeedbackKind,
    ForecastQuestion,
    ModelListing,
    Problem,
    Received,
    SimulateSimulated,
    Simulation,
)

Reply = TypeVar("Reply")


def taken(reply: object, kind: type[Reply]) -> Reply:
    """What came, or the problem that the service names."""
    if isinstance(reply, Problem):
        raise SystemExit(f"{reply.title}\n  {reply.where}: {reply.fix}")
    assert isinstance(reply, kind), reply
    return reply


day = date.fromisoformat(os.environ["AS_OF"])
client = AuthenticatedClient(os.environ["YUPANA_URL"], os.environ["YUPANA_API_KEY"])
with client as service:
    question = ForecastQuestion(ubigeo=["160101", "160201"], horizon=4, as_of=day)
    answer = taken(forecast.sync(client=service, body=question), Answer)
    for prediction in answer.predictions:
        for week in prediction.weeks:
            print(prediction.ubigeo, week.week_ending, week.median, week.interval_80, week.alert)
    for abstention in answer.abstentions:
        print(abstention.ubigeo, abstention.es)

    listed = taken(alerts.sync(client=service, department="16", as_of=day), Alerts)
    print(listed.counts)

    change = SimulateSimulated(ubigeo="160101", horizon=4, recent_cases=2.0)
    simulation = taken(simulate.sync(client=service, body=change), Simulation)
    print([week.median for week in simulation.simulated])

    first = answer.predictions[0]
    for prediction_id in (first.prediction_id, listed.districts[0].prediction_id):
        explained = taken(explain.sync(prediction_id, client=service), Explanation)
        for sentence in explained.sentences:
            print("-", sentence.es)
        observed = FeedbackFeedback(
            kind=FeedbackFeedbackKind.OBSERVED, week_ending=first.weeks[0].week_ending, cases=4
        )
        print(taken(feedback.sync(prediction_id, client=service, body=observed), Received))

    print([one.model for one in taken(models.sync(client=service), ModelListing).models])
