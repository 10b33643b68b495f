"""What a model must meet before it serves."""
