"""Webhooks, as far as they are looked at; people set them up. API sheet, section 7.2."""

from __future__ import annotations

from syncd.worksection.request import Request


def get_webhooks() -> Request:
    """Every hook of the account, with its status; an administrator's right."""
    return Request("get_webhooks")
