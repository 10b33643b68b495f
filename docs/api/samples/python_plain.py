"""Needs Python alone. The address is YUPANA_URL, the key YUPANA_API_KEY."""

import json
import os
import urllib.error
import urllib.request

URL, KEY = os.environ["YUPANA_URL"], os.environ["YUPANA_API_KEY"]


def ask(path, body=None):
    """POST where there is a body, else GET."""
    request = urllib.request.Request(
        URL + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        raise SystemExit(f"{problem['title']}\n  {problem['where']}: {problem['fix']}") from None


# Pronóstico / forecast
told = ask(
    "/v1/outbreak/forecast", {"ubigeo": ["160101", "160201"], "horizon": 4, "as_of": "2022-01-05"}
)
for prediction in told["predictions"]:
    for week in prediction["weeks"]:
        print(prediction["ubigeo"], week["week_ending"], week["median"], week["interval_80"])
for abstention in told["abstentions"]:
    print(abstention["ubigeo"], abstention["es"])

# Alertas de Loreto / alerts of Loreto
print(ask("/v1/outbreak/alerts?department=16&as_of=2022-01-05")["counts"])

# Simulación: el doble de casos recientes / simulation: twice the recent cases
simulation = ask("/v1/outbreak/simulate", {"ubigeo": "160101", "horizon": 4, "recent_cases": 2.0})
print([week["median"] for week in simulation["simulated"]])

# Explicación y lo que pasó / explanation, and what happened
prediction_id = told["predictions"][0]["prediction_id"]
for sentence in ask(f"/v1/outbreak/explain/{prediction_id}")["sentences"]:
    print("-", sentence["es"])
observed = {"kind": "observed", "week_ending": "2022-01-08", "cases": 4}
print(ask(f"/v1/feedback/{prediction_id}", observed)["feedback_id"])

# Modelos / models
print([model["model"] for model in ask("/v1/models")["models"]])
