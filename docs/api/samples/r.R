# Needs httr2 (install.packages("httr2")). The address is YUPANA_URL, the key YUPANA_API_KEY.
library(httr2)

# POST where there is a body, else GET; tried again where the service asks for it.
ask <- function(path, body = NULL) {
  req <- request(paste0(Sys.getenv("YUPANA_URL"), path)) |>
    req_headers(Authorization = paste("Bearer", Sys.getenv("YUPANA_API_KEY"))) |>
    req_retry(max_tries = 4) |>
    req_error(body = function(resp) {
      problem <- resp_body_json(resp, check_type = FALSE)
      paste0(problem$title, "\n", problem$where, ": ", problem$fix)
    })
  if (!is.null(body)) req <- req_body_json(req, body)
  resp_body_json(req_perform(req), check_type = FALSE)
}

# Pronóstico / forecast
told <- ask("/v1/outbreak/forecast", list(
  ubigeo = list("160101", "160201"), horizon = 4L, as_of = "2022-01-05"
))
for (prediction in told$predictions) for (week in prediction$weeks) {
  cat(prediction$ubigeo, week$week_ending, week$median, unlist(week$interval_80), "\n")
}
for (abstention in told$abstentions) cat(abstention$ubigeo, abstention$es, "\n")

# Alertas de Loreto / alerts of Loreto
str(ask("/v1/outbreak/alerts?department=16&as_of=2022-01-05")$counts)

# Simulación: el doble de casos recientes / simulation: twice the recent cases
simulation <- ask("/v1/outbreak/simulate", list(
  ubigeo = "160101", horizon = 4L, recent_cases = 2
))
cat(sapply(simulation$simulated, function(week) week$median), "\n")

# Explicación y lo que pasó / explanation, and what happened
id <- told$predictions[[1]]$prediction_id
for (sentence in ask(paste0("/v1/outbreak/explain/", id))$sentences) cat("-", sentence$es, "\n")
observed <- list(kind = "observed", week_ending = "2022-01-08", cases = 4L)
cat(ask(paste0("/v1/feedback/", id), observed)$feedback_id, "\n")

# Modelos / models
cat(sapply(ask("/v1/models")$models, function(model) model$model), "\n")
