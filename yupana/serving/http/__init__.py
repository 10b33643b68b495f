"""What stands before the answers: limits, keys, errors in one shape, numbers, logs, traces."""
