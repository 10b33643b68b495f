"""Cases: texts that citizens send, from the receipt to the answer, of any use case that classifies.

Who plugs it into a service needs two things. `routes.router(about, rules)` is an APIRouter with all
addresses at and below /v1/<use case>, `open311.routes.router()` one below /open311/ (a kind names
that folder: `Kind.folders` returns `{"/open311/": "open311"}`); `routes.HOW_TO_ASK` goes into the
kind's `how_to_ask`. Where the service starts:

    cases = CaseService(settings, use_case, classify, suspended=…, mask=…, seal=…, unseal=…)
    app.state.cases = cases
    cases.start()   # routes and sends mails on threads; `cases.close()` at the end

`classify` takes `list[CaseText]` and returns as many `Classification`s; it raises TransientError
where the model is away, and `suspended()` says whether the gate lets none answer. The spec has the
actions `submit: [public, agency]`, `review: [clerk, supervisor]`, `open311: [public]`. One batch by
hand: `cases.router.run_once(now)`; mails by hand: `notices.deliver(settings, unseal, now)`.
"""
