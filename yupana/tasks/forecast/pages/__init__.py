"""Pages and pictures of forecasts."""
