"""Great Expectations suites made from contracts."""
