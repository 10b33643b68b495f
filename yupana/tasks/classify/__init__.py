"""Texts that are given one of some labels, or to a person where the model is not sure."""
