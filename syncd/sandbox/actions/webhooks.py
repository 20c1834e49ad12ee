"""The actions on webhooks (the API sheet, section 7.2)."""

from __future__ import annotations

from typing import Any

from syncd.sandbox.calls import Call
from syncd.sandbox.replies import OK, RefusedError, Reply, data
from syncd.sandbox.webhooks import Hook, accepts

UNANSWERED = "Url should respond 200 HTTP_CODE and JSON {status:OK}"


def get_webhooks(call: Call) -> Reply:
    """All hooks; `projects` is absent where a hook is for all of them."""
    return data([form(hook) for hook in call.webhooks.hooks.values()])


def form(hook: Hook) -> dict[str, Any]:
    """A hook without its credentials."""
    projects = {"projects": ",".join(map(str, hook.projects))} if hook.projects else {}
    events = ",".join(hook.events)
    return {
        "id": str(hook.id),
        "url": hook.url,
        "events": events,
        "status": hook.status,
        **projects,
    }


def add_webhook(call: Call) -> Reply:
    """Register a receiver, which is called at once and must say OK."""
    hook = Hook(
        id=call.account.new_id("webhook"),
        url=call.parameters.required("url"),
        events=tuple(call.parameters.listed("events")),
        projects=tuple(int(p) for p in call.parameters.listed("projects") if p.isdecimal()),
        user=call.parameters.text("http_user") or "",
        secret=call.parameters.text("http_pass") or "",
    )
    if not accepts(hook, b"[]"):
        raise RefusedError(11, UNANSWERED, "url")
    call.parameters.required("events")
    call.webhooks.add(hook)
    call.account.version += 1
    return Reply({"id": hook.id})


def delete_webhook(call: Call) -> Reply:
    """Remove a hook."""
    call.parameters.required("id")
    if call.webhooks.hooks.pop(call.parameters.number("id") or 0, None) is None:
        raise RefusedError(10, "WebHook not found")
    call.account.version += 1
    return OK


ACTIONS = {
    "get_webhooks": ("administrative", get_webhooks),
    "add_webhook": ("administrative", add_webhook),
    "delete_webhook": ("administrative", delete_webhook),
}
