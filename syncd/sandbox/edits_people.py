"""What is done to the people of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncd.sandbox.locking import ImpossibleError, found, locked
from syncd.sandbox.records import Member

if TYPE_CHECKING:
    from syncd.sandbox.account import Account


@locked
def create_member(
    account: Account, /, first_name: str, last_name: str, email: str | None = None, **values: Any
) -> int:
    """A new member; without an address they get the synthetic one (the API sheet, section 4).

    The first one is the owner.
    """
    member_id = account.new_id("member")
    email = email or f"{member_id}@{member_id}.worksection.com"
    check_email(account, email)
    account.members[member_id] = Member(member_id, first_name, last_name, email, **values)
    account.owner_id = account.owner_id or member_id
    account.version += 1
    return member_id


def check_email(account: Account, email: str) -> None:
    """Refuse an address that is no address, or somebody's."""
    if "@" not in email or member_by_email(account, email):
        raise ImpossibleError(f"the address {email!r} cannot be used")


def member_by_email(account: Account, email: str) -> Member | None:
    """Whose address it is; case does not matter."""
    wanted = email.strip().lower()
    return next((m for m in account.members.values() if m.email.lower() == wanted), None)


@locked
def rename_member(account: Account, /, member_id: int, first_name: str, last_name: str) -> None:
    """Change a person's name everywhere."""
    member = found(account.members, member_id, "member")
    member.first_name, member.last_name = first_name, last_name
    account.touch_all()


@locked
def change_email(account: Account, /, member_id: int, email: str) -> None:
    """Change a person's address; even its case alone."""
    member = found(account.members, member_id, "member")
    if email.lower() != member.email.lower():
        check_email(account, email)
    member.email = email
    account.touch_all()


@locked
def deactivate_member(account: Account, /, member_id: int) -> None:
    """Deactivate: gone from get_users, still named in tasks (the API sheet, section 8)."""
    if member_id == account.owner_id:
        raise ImpossibleError("the owner cannot be deactivated")
    found(account.members, member_id, "member").active = False
    account.version += 1


@locked
def activate_member(account: Account, /, member_id: int) -> None:
    """Let a deactivated person back in."""
    found(account.members, member_id, "member").active = True
    account.version += 1
