"""Push: the outbox to the account. Look, merge, write the intent, send, write the outcome."""

from syncd.services.push.cycle import push, settle_open
from syncd.services.push.pushing import Pushing

__all__ = ["Pushing", "push", "settle_open"]
