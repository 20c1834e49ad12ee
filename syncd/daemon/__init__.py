"""The daemon: a service that keeps both sides the same and tells the truth about it.

Schedule, signals, service manager, watchdog, local port. What is done at each turn is a service's.
"""
