"""Weekly checks that tell a fault in the data or the model from an epidemic."""
