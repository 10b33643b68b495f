"""Texts that are given one of some labels, or to a person where the model is not sure."""

from yupana.tasks.classify.task import TASK

__all__ = ["TASK"]
