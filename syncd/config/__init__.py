"""Settings: the only reader of configuration files and of the environment.

Nothing here talks to the account or to a database.
"""

from syncd.config.checking import check_zone, is_loopback
from syncd.config.reading import CONFIG_NAME, ENV_FILE, ENV_PREFIX, complete, find, load, steering
from syncd.config.secret_files import credential, open_secrets, read_secret_file

__all__ = [
    "CONFIG_NAME",
    "ENV_FILE",
    "ENV_PREFIX",
    "check_zone",
    "complete",
    "credential",
    "find",
    "is_loopback",
    "load",
    "open_secrets",
    "read_secret_file",
    "steering",
]
