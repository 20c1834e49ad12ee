"""syncd keeps a SQL database and a Worksection account the same, in both directions."""

__version__ = "0.1.0"
