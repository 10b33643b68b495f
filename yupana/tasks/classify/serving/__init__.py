"""What classifiers of texts bring to a prediction service."""
