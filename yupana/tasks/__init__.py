"""What all use cases of one kind share, one package a kind."""
