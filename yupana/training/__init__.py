"""A use case's Kubeflow pipeline, on this machine or a cluster, and the search for options."""
