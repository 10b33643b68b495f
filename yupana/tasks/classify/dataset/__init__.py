"""The texts of a classifier, as its tables have them."""
