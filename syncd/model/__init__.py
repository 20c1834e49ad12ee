"""Values: records, listings, plans, reports. Frozen; no I/O, no SQL, no HTTP."""
