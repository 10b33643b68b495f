// The guide's calls (docs/api) by a client that openapi-typescript made from the description.
import createClient from "openapi-fetch";
import type { paths } from "./agency.js";

declare const process: { env: Record<string, string> };
const { YUPANA_URL: url = "", YUPANA_API_KEY: key, AS_OF: as_of } = process.env;
// Of addresses that also give files (CSV, GeoJSON), the answers as JSON.
type Json = "application/json" | "application/problem+json";
const service = createClient<paths, Json>({
  baseUrl: url,
  headers: { Authorization: `Bearer ${key}` },
});

// What came, or the problem that the service names.
function taken<Data>(answer: { data?: Data; error?: { title: string; fix: string } }): Data {
  if (answer.data === undefined) throw new Error(`${answer.error?.title}\n  ${answer.error?.fix}`);
  return answer.data;
}

const forecast = taken(
  await service.POST("/v1/outbreak/forecast", {
    body: { ubigeo: ["160101", "160201"], horizon: 4, as_of },
  }),
);
for (const { ubigeo, weeks, caveats } of forecast.predictions)
  for (const week of weeks)
    console.log(ubigeo, week.week_ending, week.median, week.interval_80, week.alert, caveats.length);
for (const { ubigeo, es } of forecast.abstentions) console.log(ubigeo, es);

const alerts = taken(
  await service.GET("/v1/outbreak/alerts", { params: { query: { department: "16", as_of } } }),
);
console.log(alerts.counts);

const simulation = taken(
  await service.POST("/v1/outbreak/simulate", {
    body: { ubigeo: "160101", horizon: 4, recent_cases: 2.0 },
  }),
);
console.log(simulation.simulated.map((week) => week.median));

const ids = [forecast.predictions[0]?.prediction_id, alerts.districts[0]?.prediction_id];
for (const prediction_id of ids) {
  if (!prediction_id) throw new Error("nothing was forecast");
  const path = { prediction_id };
  const explained = taken(
    await service.GET("/v1/outbreak/explain/{prediction_id}", { params: { path } }),
  );
  for (const { es } of explained.sentences) console.log("-", es);
  const week_ending = forecast.predictions[0]?.weeks[0]?.week_ending ?? null;
  const received = taken(
    await service.POST("/v1/feedback/{prediction_id}", {
      params: { path },
      body: { kind: "observed", week_ending, cases: 4, comment: "" },
    }),
  );
  console.log(received.feedback_id);
}

console.log(taken(await service.GET("/v1/models")).models.map((each) => each.model));
