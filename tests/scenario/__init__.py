"""Proofs over whole pulls: a real account over HTTP, a real database, and what goes wrong."""
