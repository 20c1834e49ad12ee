"""SQL: schema, engine, mirror, runs, audit, lease, upgrade. Knows nothing of HTTP."""
