"""Pictures and tables of the documentation, made from the code and from real runs."""
