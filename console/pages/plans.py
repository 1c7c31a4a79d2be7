"""Plans: what waits for a person, what each device shows, why nothing is said where that is so."""

from typing import Any

from psycopg import Connection

from catalog.lifecycle.registry import records
from catalog.plan.device import devices
from catalog.plan.layout import PAGE as NEXT_PAGE
from catalog.plan.registry import plans as declared
from catalog.plan.steps import PROPOSED
from console.frame import Page, View, keep_fresh, panel
from console.records.forms import move_context, take
from console.texts import Words
from console.widgets.table import Act, Column, Table
from records.plans.store import Advice, Refusal, Said, advices, refusals, said
from service.postgres import now_of

Known = tuple[list[Advice], list[Refusal], dict[tuple[str, str], Said], bool]


async def plans(view: View) -> None:
    """Show proposals with a button, devices as they were read back, and every plan."""
    words = view.words

    async def approve(pressed: Act) -> None:
        kind, _, id = pressed.row.rpartition("-")
        await take(view, records()[kind], int(id), pressed.name, {}, read)

    with panel(words("plans.waiting"), "list"):
        waiting = Table(
            _waiting_columns(words),
            label=words("plans.waiting"),
            empty=words("plans.none_waiting"),
            on_act=approve,
        )
    with panel(words("plans.devices"), "list"):
        signs = Table(
            _device_columns(words), label=words("plans.devices"), empty=words("plans.no_devices")
        )
    with panel(words("plans.all"), "list"):
        every = Table(_plan_columns(words), label=words("plans.all"), empty=words("plans.none"))
    with panel(words("plans.silent"), "list"):
        silent = Table(
            _silent_columns(words), label=words("plans.silent"), empty=words("plans.none_silent")
        )

    async def read() -> None:
        found, why, answers, may = await view.ask(lambda conn: _known(conn, view))
        waiting.show([_waiting_row(words, a, may) for a in found if a.state == PROPOSED])
        signs.show(_device_rows(words, answers))
        every.show([_plan_row(words, name, found) for name in declared()])
        silent.show([_silent_row(words, one) for one in why])

    await read()
    keep_fresh(view, read)


def _known(conn: Connection, view: View) -> Known:
    kinds = {plan.record for plan in declared().values()}
    context = move_context(conn, view.who)
    may = any(context.role(records()[kind], ("approver",), {}) for kind in kinds)
    return advices(conn, now_of(conn)), refusals(conn), said(conn), may


def _waiting_columns(words: Words) -> list[Column]:
    return [
        Column("number", words("plans.proposal"), "link"),
        Column("plan", words("plans.plan")),
        Column("device", words("plans.device")),
        Column("message", words("plans.message")),
        Column("since", words("plans.since"), "age"),
        Column("act", "", "actions"),
    ]


def _waiting_row(words: Words, advice: Advice, may: bool) -> dict[str, Any]:
    name = f"{advice.kind}-{advice.id}"
    approve = records()[advice.kind].move("approve")
    return {
        "id": name,
        "number": {"text": name, "href": f"/records/{advice.kind}/{name}"},
        "plan": _title(words, advice.plan),
        "device": _device(words, advice),
        "message": _line(advice.message),
        "since": advice.state_since.isoformat(),
        "act": [{"act": "approve", "text": words.of(approve.title)}] if may and approve else [],
    }


def _device_columns(words: Words) -> list[Column]:
    return [
        Column("device", words("plans.device")),
        Column("status", words("plans.status")),
        Column("message", words("plans.shows")),
        Column("record", words("plans.proposal"), "link"),
        Column("seen", words("plans.seen"), "age"),
    ]


def _device_rows(words: Words, answers: dict[tuple[str, str], Said]) -> list[dict[str, Any]]:
    return [
        _device_row(words, f"{kind}/{id}", words.of(device.title), answers.get((kind, id)))
        for kind, those in devices().items()
        for id, device in those.items()
    ]


def _device_row(words: Words, id: str, title: str, last: Said | None) -> dict[str, Any]:
    record = last.key.partition("/")[0] if last else ""
    kind = record.rpartition("-")[0]
    shown = last.message if last and last.status != "away" else ""
    return {
        "id": id,
        "device": title,
        "status": words(f"plans.status_{last.status if last else 'unknown'}"),
        "message": _line(shown),
        "record": {"text": record, "href": f"/records/{kind}/{record}"} if record else None,
        "seen": last.seen_at.isoformat() if last and last.seen_at else "",
    }


def _plan_columns(words: Words) -> list[Column]:
    return [
        Column("plan", words("plans.plan")),
        Column("mode", words("plans.mode")),
        Column("priority", words("plans.priority")),
        Column("open", words("plans.open"), "link"),
    ]


def _plan_row(words: Words, name: str, found: list[Advice]) -> dict[str, Any]:
    plan = declared()[name]
    open_ones = sum(a.open for a in found if a.plan == name)
    return {
        "id": name,
        "plan": words.of(plan.title),
        "mode": words(f"plans.mode_{plan.mode}"),
        "priority": str(plan.priority),
        "open": {"text": str(open_ones), "href": f"/records/{plan.record}"},
    }


def _silent_columns(words: Words) -> list[Column]:
    return [
        Column("plan", words("plans.plan")),
        Column("cause", words("plans.cause")),
        Column("why", words("plans.why")),
        Column("since", words("plans.since"), "age"),
    ]


def _silent_row(words: Words, one: Refusal) -> dict[str, Any]:
    return {
        "id": f"{one.plan} {one.cause} {one.device}",
        "plan": _title(words, one.plan),
        "cause": " ".join(filter(None, (one.cause, one.device))),
        "why": one.why_zh if words.language == "zh" else one.why_en,
        "since": one.since.isoformat(),
    }


def _title(words: Words, name: str) -> str:
    plan = declared().get(name)
    return words.of(plan.title) if plan else name


def _device(words: Words, advice: Advice) -> str:
    plan = declared().get(advice.plan)
    known = devices().get(plan.whom.device, {}).get(advice.device) if plan else None
    return words.of(known.title) if known else advice.device


def _line(message: str) -> str:
    return " ‖ ".join(page.replace("\n", " ") for page in message.split(NEXT_PAGE) if page)


PAGE = Page("/plans", "plans.title", plans)
