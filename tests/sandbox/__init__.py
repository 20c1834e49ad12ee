"""The simulated account against the API sheet."""
