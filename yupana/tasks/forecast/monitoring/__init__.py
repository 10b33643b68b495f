"""What the monitor reads, scores and shows of forecasts."""
