// Needs Node 18 or newer, or a browser's module. The address is YUPANA_URL, the key YUPANA_API_KEY.
const { YUPANA_URL: url, YUPANA_API_KEY: key } = process.env;

// POST where there is a body, else GET.
async function ask(path, body) {
  const answer = await fetch(url + path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.title}\n  ${told.where}: ${told.fix}`);
  return told;
}

// Pronóstico / forecast
const told = await ask("/v1/outbreak/forecast", {
  ubigeo: ["160101", "160201"], horizon: 4, as_of: "2022-01-05",
});
for (const { ubigeo, weeks } of told.predictions)
  for (const week of weeks)
    console.log(ubigeo, week.week_ending, week.median, week.interval_80, week.alert);
for (const { ubigeo, es } of told.abstentions) console.log(ubigeo, es);

// Alertas de Loreto, para un mapa / alerts of Loreto, for a map
const map = await ask("/v1/outbreak/alerts?department=16&as_of=2022-01-05&format=geojson");
console.log(map.type, map.features.length, map.counts);

// Simulación: el doble de casos recientes / simulation: twice the recent cases
const { simulated } = await ask("/v1/outbreak/simulate", {
  ubigeo: "160101", horizon: 4, recent_cases: 2.0,
});
console.log(simulated.map((week) => week.median));

// Explicación y lo que pasó / explanation, and what happened
const id = told.predictions[0].prediction_id;
const { sentences } = await ask(`/v1/outbreak/explain/${id}`);
for (const { es } of sentences) console.log("-", es);
const { feedback_id } = await ask(`/v1/feedback/${id}`, {
  kind: "observed", week_ending: "2022-01-08", cases: 4,
});
console.log(feedback_id);

// Modelos / models
const { models } = await ask("/v1/models");
console.log(models.map((each) => each.model));
