"""A simulated Worksection account: its truth, its API over real HTTP, its faults.

It stands for what the API sheet tells of the real account and knows nothing of the rest of
syncd. Tests talk to it as its peer, the demo and the benchmark too.
"""

from syncd.sandbox.account import Account
from syncd.sandbox.faults import Fault, Faults
from syncd.sandbox.journal import Entry, Journal
from syncd.sandbox.locking import ImpossibleError
from syncd.sandbox.sandbox import CLIENT, KEY, Sandbox
from syncd.sandbox.serving import serve
from syncd.sandbox.switches import Switches

__all__ = [
    "CLIENT",
    "KEY",
    "Account",
    "Entry",
    "Fault",
    "Faults",
    "ImpossibleError",
    "Journal",
    "Sandbox",
    "Switches",
    "serve",
]
