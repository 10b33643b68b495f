"""A season's peak and size, as the Dengue Forecasting Project asked for them."""
