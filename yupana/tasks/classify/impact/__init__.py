"""For whom a classifier is right, who waits for a person, and who is not measured at all."""
