"""Labels of texts: who or what gave them, functions that label, and what people should review."""
