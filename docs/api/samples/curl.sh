#!/usr/bin/env bash
# Needs curl and python3 (only to read the prediction_id). The address and the key:
#   export YUPANA_URL=http://127.0.0.1:8410 YUPANA_API_KEY=yup_…
set -euo pipefail
key="Authorization: Bearer $YUPANA_API_KEY"

echo "Pronóstico / forecast"
answer=$(curl -sS --fail-with-body --retry 4 "$YUPANA_URL/v1/outbreak/forecast" -H "$key" \
  -d '{"ubigeo": ["160101", "160201"], "horizon": 4, "as_of": "2022-01-05"}')
echo "$answer" | head -c 300; echo " …"
id=$(echo "$answer" | python3 -c 'import json, sys; print(json.load(sys.stdin)["predictions"][0]["prediction_id"])')

echo "Alertas de Loreto (16), para una hoja de cálculo / alerts of Loreto, for a spreadsheet"
curl -sS --fail-with-body -H "$key" \
  "$YUPANA_URL/v1/outbreak/alerts?department=16&as_of=2022-01-05&format=csv" | cut -d, -f1-8 | sed -n 1,4p

echo "Simulación: el doble de casos recientes / simulation: twice the recent cases"
curl -sS --fail-with-body "$YUPANA_URL/v1/outbreak/simulate" -H "$key" \
  -d '{"ubigeo": "160101", "horizon": 1, "recent_cases": 2.0}' | head -c 300; echo " …"

echo "Explicación / explanation"
curl -sS --fail-with-body "$YUPANA_URL/v1/outbreak/explain/$id" -H "$key" | head -c 300; echo " …"

echo "Lo que pasó / what happened"
curl -sS --fail-with-body "$YUPANA_URL/v1/feedback/$id" -H "$key" \
  -d '{"kind": "observed", "week_ending": "2022-01-08", "cases": 4}'; echo

echo "Modelos / models"
curl -sS --fail-with-body "$YUPANA_URL/v1/models" -H "$key"; echo
