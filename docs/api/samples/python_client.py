"""Needs yupana.tasks.forecast.client. The address is YUPANA_URL; the client reads the key in YUPANA_API_KEY."""

import os
from datetime import date

from yupana.client import RefusedError
from yupana.tasks.forecast.client import ForecastClient

with ForecastClient(os.environ["YUPANA_URL"], "outbreak") as service:
    # Pronóstico; pueden ser todos los distritos del país / forecast; all districts may be asked
    told = service.forecast(["160101", "160201", "999999"], horizon=4, as_of=date(2022, 1, 5))
    for prediction in told.predictions:
        for week in prediction.periods:
            low, high = week.interval_80
            print(prediction.entity, week.ending, week.median, f"[{low}, {high}]", week.alert)
        for caveat in prediction.caveats:
            print("  !", caveat.es)
    for abstention in told.abstentions:
        print(abstention.entity, "sin respuesta / no answer:", abstention.es)

    # Alertas de Loreto / alerts of Loreto
    alerts = service.alerts("16", as_of=date(2022, 1, 5))
    print(alerts["counts"])

    # Simulación: el doble de casos recientes / simulation: twice the recent cases
    simulation = service.simulate("160101", recent_cases=2.0, horizon=4)
    print([week["median"] for week in simulation["simulated"]])

    # Explicación y lo que pasó / explanation, and what happened
    first = told.predictions[0]
    for sentence in service.explain(first.prediction_id)["sentences"]:
        print("-", sentence["es"])
    service.feedback(first.prediction_id, "observed", week_ending=date(2022, 1, 8), cases=4)

    # Modelos y su ficha / models and their card
    print([model["model"] for model in service.models()])
    print(service.card(first.model_card)[:60])

    # Un error dice qué, dónde y cómo corregirlo / an error says what, where and the mend
    try:
        service.forecast("16")
    except RefusedError as error:
        print(error.title, error.where, error.fix, error.request_id, sep="\n  ")
