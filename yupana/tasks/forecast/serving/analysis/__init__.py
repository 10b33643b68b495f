"""A closer look than an answer: alert levels, simulations, explanations."""
