"""`syncd init`: asks, or takes flags; tries the account; writes configuration and key together.

Nothing is written before the account has answered, and then everything or nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncd.cli.check import show, summary
from syncd.cli.invocation import Invocation
from syncd.cli.questions import Flags, Questions, is_terminal, put_together
from syncd.errors import ConfigError, LeaseHeld, SyncdError
from syncd.model.reports import Finding
from syncd.secrets import Secret
from syncd.settings import AccountSettings

if TYPE_CHECKING:
    from syncd.services.setup import Answers, Application, Places, Stage
    from syncd.settings import Settings

SEEN = "Every user of this machine can read the arguments of a process, and the shell keeps them."


def _refuse_key(_: click.Context, __: click.Parameter, value: str | None) -> None:
    """Refuse the key as an argument, and never say it back."""
    if value is not None:
        Secret(value)  # known from here on, so that no message shows it
        raise ConfigError(
            f"The key is not taken as an argument. {SEEN}",
            hint="Give it with --key-file FILE or --key-stdin, and let the owner make a new one.",
        )


@click.command("init", context_settings={"allow_extra_args": True})
@click.option("--url", metavar="NAME|URL", help="The account: yourcompany, or any of its pages.")
@click.option(
    "--auth",
    type=click.Choice(["md5", "md5-page", "hmac", "oauth2"]),
    default="md5",
    help="How requests prove who we are; md5, with the account's key, unless told otherwise.",
)
@click.option("--key-file", type=click.Path(path_type=Path), help="A file that holds the key.")
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--key", "--api-key", hidden=True, callback=_refuse_key, expose_value=False)
@click.option("--timezone", metavar="ZONE", help="The account's time zone, such as Europe/Kyiv.")
@click.option("--database", metavar="URL", help="Where the mirror goes: a file, or a URL.")
@click.option("--schema", help="On PostgreSQL: a schema of its own.")
@click.option("--text/--no-text", default=None, help="Mirror the descriptions of tasks.")
@click.option("--archived/--no-archived", default=None, help="Mirror archived projects.")
@click.option("--oauth-client-id", metavar="ID", help="OAuth2: the application's id.")
@click.option("--oauth-client-secret-file", type=click.Path(path_type=Path), help="Its secret.")
@click.option("--oauth-redirect-uri", metavar="URI", help="Its redirect address, as registered.")
@click.option("--oauth-code", metavar="CODE|URL", help="The code, or the address it came in.")
@click.option("--oauth-url", metavar="URL", hidden=True, default=AccountSettings().oauth_url)
@click.option("--force", is_flag=True, help="Replace the configuration and the key.")
@click.option("--no-test", is_flag=True, help="Write without asking the account.")
@click.pass_context
def init(ctx: click.Context, /, **given: Any) -> int:
    """Set up: the account, its key, the database.

    On a terminal it asks for what no option tells. Then it tries the account, with about ten
    requests, and only if that worked writes the configuration, with the key in a file of its own
    (mode 0600): to --config PATH, else ~/.config/syncd/syncd.toml, for root /etc/syncd/syncd.toml.

    Exit code: 0 all is well, 3 set up with warnings, 2 not set up or the database cannot be used,
    4 not set up because the account refused or could not be reached.
    """
    from syncd.services import setup

    call: Invocation = ctx.obj
    if ctx.args:  # not said back: it may be the key
        raise ConfigError(f"init takes options only. {SEEN}", hint="See: syncd init --help")
    flags = Flags(**given)
    where = setup.places(call.config, os.environ, is_root=os.geteuid() == 0)
    if not flags.force:
        setup.refuse_to_overwrite(where)
    ask = Questions(interactive=is_terminal(), say=call.out.note)
    if ask.interactive:
        ask.say(f"The configuration will be {where.config}")
    return _set_up(call, flags, where, put_together(ask, flags, where))


def _set_up(call: Invocation, flags: Flags, where: Places, answers: Answers) -> int:
    """Try, write, and make the database ready; says what it did."""
    from syncd.services.findings import exit_code
    from syncd.services.setup import settings_of, staged

    call.start_log(
        settings_of(answers, where, os.environ)
    )  # bad answers end here, before anything is asked
    code = _ask_code(call, flags, answers.application)
    with staged(where) as stage:
        settings = settings_of(answers, where, os.environ, stage.path(where.tokens))
        trial = _try(flags, answers, where, stage, settings, code)
        found = list(show(call.out, trial))
        written = not any(one.severity == "problem" for one in found)
        if written:
            _write(answers, where, stage)
    if written:
        found += show(call.out, _finish(call, where, asked=not flags.no_test))
    status = exit_code(found)
    _report(call, where, answers, found, written=written, status=status)
    return status


def _ask_code(call: Invocation, flags: Flags, app: Application | None) -> Secret | None:
    """Return the OAuth2 code: given, or asked for after printing the page that leads to it."""
    from syncd.bootstrap import utc_now
    from syncd.services.consent_by_hand import page, read_code

    if app is None or (flags.no_test and flags.oauth_code is None):
        return None
    ask = Questions(interactive=is_terminal(), say=call.out.note)
    if flags.oauth_code is None:
        ask.say(
            "Open this address as the person with whose eyes syncd is to see, and consent:\n\n"
            f"  {page(app, now=utc_now())}\n\n"
            "The browser ends at the redirect address with a code in it. A code lives ten minutes."
        )
    question = "The code, or the whole address"
    code = ask.text(
        "--oauth-code", flags.oauth_code, question, lambda text: read_code(text, app, now=utc_now())
    )
    ask.check_complete()
    return code


def _try(
    flags: Flags,
    answers: Answers,
    where: Places,
    stage: Stage,
    settings: Settings,
    code: Secret | None,
) -> Iterator[Finding]:
    """Turn the code into tokens and look at the account, unless told not to."""
    from syncd.bootstrap import asking_for, utc_now
    from syncd.services.findings import note
    from syncd.services.setup import machine_zone
    from syncd.services.trial import take_consent, try_account

    if answers.application is not None and code is not None:
        tokens = stage.path(where.tokens)
        yield from take_consent(answers.application, code, settings, tokens, sleep=time.sleep)
        if not tokens.exists():
            return
    if flags.no_test:
        yield note("account.offline", "the account was not asked", "Ask it with: syncd check")
        return
    yield from try_account(
        settings,
        lambda: asking_for(settings),
        clock=utc_now,
        machine_zone=machine_zone(os.environ),
    )


def _write(answers: Answers, where: Places, stage: Stage) -> None:
    from syncd.bootstrap import utc_now
    from syncd.services.settings_file import render

    if answers.key is not None:
        stage.put(where.key, f"{answers.key.reveal()}\n")
    if answers.application is not None:
        stage.put(where.client_secret, f"{answers.application.client_secret.reveal()}\n")
    stage.put(where.config, render(answers, where, day=utc_now()), mode=where.config_mode(answers))
    stage.commit(answers.auth)


def _finish(call: Invocation, where: Places, *, asked: bool) -> Iterator[Finding]:
    """Read what was written as every command will, and make the database ready."""
    from syncd.bootstrap import build
    from syncd.config import load
    from syncd.services.check_mirror import account_finding
    from syncd.services.findings import of_error, ok
    from syncd.services.setup import make_database_folder, other_configuration

    try:
        settings = load(where.config, os.environ)
        yield from other_configuration(where, os.environ, named=call.config is not None)
        make_database_folder(settings)
        app = build(settings)
        with closing(app.db):
            app.ready(write=True)
            yield ok("database.schema", f"{app.db.label} is ready")
            yield from account_finding(app.db, settings)
            if asked:
                with suppress(LeaseHeld):  # then whoever holds it keeps the pace
                    app.note_asked()
    except SyncdError as error:
        check = "config.file" if isinstance(error, ConfigError) else "database.open"
        yield of_error(check, error)


def _report(
    call: Invocation,
    where: Places,
    answers: Answers,
    found: list[Finding],
    *,
    written: bool,
    status: int,
) -> None:
    files = [str(path) for path in where.written(answers.auth) if written and path.exists()]
    call.out.document(
        {
            "config": str(where.config) if written else None,
            "files": files,
            "findings": [asdict(one) for one in found],
            "exit_code": status,
        }
    )
    call.out.lines(["", summary(found)])
    if not written:
        call.out.note("Nothing was written. (--no-test writes without asking the account.)")
        return
    call.out.lines([f"Written: {', '.join(files)}", "Next: syncd pull"])
