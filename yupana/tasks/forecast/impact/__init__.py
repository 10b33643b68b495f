"""For whom a model is good, for whom not, and who is not measured at all."""
