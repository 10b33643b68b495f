"""Use cases, one package each: spec, card, code and what it adds to its kind."""
