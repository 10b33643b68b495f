"""The classifier: a fast student for every text, an encoder for what it is not sure of."""
