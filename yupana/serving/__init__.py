"""What every prediction service shares."""
