"""Use cases: where HTTP and SQL meet, and the only place that opens a transaction."""
