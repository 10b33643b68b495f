"""The record: event log, answers given, and the trace from an answer to its source."""
