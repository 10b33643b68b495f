"""The auditor's pages: a static site that says whether a model holds, may answer, and is traced."""
