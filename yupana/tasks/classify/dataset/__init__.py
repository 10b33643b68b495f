"""The texts of a use case: from the published table to folds of groups."""
