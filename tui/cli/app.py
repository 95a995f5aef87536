"""The commands put together: what is declared here or in the registry becomes a typer command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tui.cli import (
    audit,
    by_hand,
    care,
    carrying,
    clock,
    credentials,
    demo,
    exporting,
    feeds,
    files,
    foreseeing,
    handing,
    importing,
    init,
    looking,
    maintenance,
    new_vendor,
    oncall,
    outbox_show,
    page_key,
    page_replies,
    paging,
    policy,
    privacy,
    quarantine,
    rebuilding,
    search,
    spool,
    suppliers,
    systems,
    trying,
)
from tui.cli.answer import Answer
from tui.cli.verbs import commands_of

GROUPS = {
    "handover": "Handing a shift over: alone it shows what you would hand over, and what is offered to you.",
    "maintenance": "Services that are worked on: what happens is logged, and escalates when it is over.",
    "matrix": "Who may what, who owns what, what is promised: the register's policy.",
    "oncall": "Who is on call (`muster oncall`, or with ROTA), and what people arrange about it.",
    "outbox": "What is on its way to suppliers, who is to be paged, and what waits for a person.",
    "page": "Paging people: where each is reached, and whether that works.",
    "page replies": "The mailbox in which mailed pages are answered.",
    "quarantine": "What suppliers did and could not be taken in: kept as it came.",
    "retention": "How long texts and people stay in the register.",
    "spool": "What was said while the register was away, and is not in it yet.",
    "vendors": "The suppliers of vendors.toml.",
}
EXITS = (
    "Exit codes: 0 done, 1 a check found faults, 2 wrong use, 3 refused by a rule, 4 not found, "
    "5 register unavailable, 6 supplier trouble. Without arguments the board opens; "
    "--as-of TIME opens it as it was known then."
)
SHOW_FIRST = ("oncall",)
"""Groups that show what they are about where none of their commands is named."""
AS_JSON = "as_json"
"""A parameter of functions that print before they end, and must know how."""
_JSON = inspect.Parameter(
    "json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--json", help="print JSON")],
)
OWN: tuple[tuple[str, str, Callable[..., Answer | None]], ...] = (
    ("", "list", looking.list_),
    ("", "show", looking.show),
    ("", "clock", clock.clock),
    ("", "search", search.search_),
    ("outbox", "list", looking.outbox),
    ("outbox", "card", by_hand.card),
    ("outbox", "show", outbox_show.show),
    ("spool", "list", spool.list_),
    ("spool", "retry", spool.retry),
    ("spool", "drop", spool.drop),
    ("quarantine", "list", quarantine.list_),
    ("oncall", "show", oncall.show),
    ("oncall", "login", feeds.login),
    ("oncall", "logout", feeds.logout),
    ("page", "login", paging.login),
    ("page", "logout", paging.logout),
    ("page", "test", paging.test),
    ("page", "key", page_key.key),
    ("page replies", "login", page_replies.login),
    ("page replies", "logout", page_replies.logout),
    ("page replies", "check", page_replies.check),
    ("vendors", "list", suppliers.list_),
    ("vendors", "contacts", by_hand.contacts),
    ("vendors", "check", suppliers.check),
    ("vendors", "systems", systems.systems),
    ("vendors", "try", trying.try_),
    ("vendors", "new", new_vendor.new),
    ("vendors", "login", credentials.login),
    ("vendors", "logout", credentials.logout),
    ("vendors", "practice", suppliers.practice),
    ("handover", "", handing.show),
    ("handover", "list", handing.list_),
    ("maintenance", "list", maintenance.list_),
    ("", "apply", policy.apply),
    ("matrix", "show", policy.show),
    ("matrix", "lint", policy.lint),
    ("matrix", "forecast", foreseeing.forecast_),
    ("matrix", "audit", audit.audit_),
    ("", "init", init.init),
    ("", "serve", care.serve),
    ("", "verify", care.verify),
    ("", "rebuild", rebuilding.rebuild),
    ("", "backup", carrying.backup),
    ("", "restore", carrying.restore_),
    ("", "migrate", carrying.migrate_),
    ("", "export", exporting.export),
    ("", "import", importing.import_),
    ("", "attach", files.attach_),
    ("", "files", files.files),
    ("", "save", files.save),
    ("", "detach", files.detach_),
    ("", "erase", privacy.erase_),
    ("retention", "run", privacy.retention_run),
    ("", "doctor", care.doctor),
    ("", "demo", demo.demo),
)
"""Group, name and function of every command that is not a verb of the register. A group without a name after
it does that itself; a function that gives no answer leaves it to the command that follows."""


class ShowsFirst(TyperGroup):
    """`muster oncall net-ops` is `muster oncall show net-ops`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


def command() -> Any:
    """Return the whole command line, ready to be called with arguments."""
    top = _typer(help="A live board over an incident register, and a hub to suppliers.", epilog=EXITS)
    groups = {"": top}
    for group, name, function in (*commands_of(), *OWN):
        if group not in groups:
            told = {"cls": ShowsFirst} if group in SHOW_FIRST else {}
            groups[group] = _typer(help=GROUPS.get(group, f"Commands about {group}."), **told)
            above, _, last = group.rpartition(" ")
            groups[above].add_typer(groups[group], name=last)
        if not name:  # the group alone does something, too
            groups[group].callback(invoke_without_command=True, no_args_is_help=False)(with_json(function))
            continue
        groups[group].command(name, help=_help(function))(with_json(function))
    return typer.main.get_command(top)


def with_json(function: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    """Return the function as typer takes it, with --json beside its own parameters."""

    own = dict(inspect.signature(function, eval_str=True).parameters)
    asks = own.pop(AS_JSON, None) is not None

    def called(*, json: bool, **given: Any) -> Answer | None:
        told = {AS_JSON: json} if asks else {}
        answer = function(**given, **told)
        return None if answer is None else replace(answer, as_json=json)

    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own.values()]
    called.__signature__ = inspect.Signature([*keywords, _JSON])  # type: ignore[attr-defined]  # PEP 362's own
    called.__annotations__ = {}
    called.__name__ = function.__name__
    return called


def _help(function: Callable[..., Answer | None]) -> str:
    return inspect.getdoc(function) or ""


def _typer(**told: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **told,
    )
