"""The use case complaints."""
