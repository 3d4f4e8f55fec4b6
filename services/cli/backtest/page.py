"""The report as one self-contained page: pictures, tables and figures in English and Chinese, without any script."""

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Final

from schemas.backtest import Difference, Report, Run, Series, Trip
from services.cli.backtest.drawing import Axis
from services.cli.backtest.markup import both, chip, orders, say, table
from services.cli.backtest.readable import amount, clock, figure, lasting, name_of, short
from services.indicators.registry import all_rules

_NAMED: Final = ("channel:", "product:", "brand:", "market:")
"""Subjects that an alert's title names."""
ROWS: Final = 60
"""Of a table that are shown at once; as many again behind a fold, and all in the JSON."""


def of(report: Report) -> str:
    """The whole page."""
    style = files("services.cli.backtest").joinpath("page.css").read_text("utf-8")
    body = "".join(_sections(report))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Tidegate backtest · 回测</title><style>{style}</style></head><body>"
        '<input class="choice" type="radio" name="language" id="en" checked aria-label="English">'
        '<input class="choice" type="radio" name="language" id="zh" aria-label="中文">'
        f'<div class="page">{_header(report)}<main>{body}</main></div></body></html>\n'
    )


def _header(report: Report) -> str:
    start, end = (clock(at, report.time_zone) for at in (report.window.from_, report.window.to))
    chips = " ".join(chip(number, run.policy) for number, run in enumerate(report.runs))
    return (
        f"<header><div><h1>{say('What would have fired', '回测：哪些告警会触发')}</h1>"
        f"<p>{escape(report.source.name)} · <time>{start}</time> – <time>{end}</time> "
        f"({escape(report.time_zone)}) · {chips}</p></div>"
        '<div class="languages"><label for="en">English</label><label for="zh">中文</label></div></header>'
    )


def _sections(report: Report) -> Iterator[str]:
    yield _cards(report)
    if len(report.runs) > 1:
        yield _section(say("Differences", "差异"), "", _differences(report))
    axis = Axis(report)
    for indicator in dict.fromkeys(rule.id for rule in all_rules()):
        yield _indicator(report, axis, indicator)
    if any(run.held for run in report.runs):
        yield _section(say("Traffic held back, at least", "拦截流量（下限）"), "", _held(report))
    yield _section(say("What was read", "数据与版本"), "", _read(report))


def _section(title: str, head: str, body: str) -> str:
    return f'<section><div class="head"><h2>{title}</h2>{head}</div>{body}</section>'


# -- figures on top


def _cards(report: Report) -> str:
    source = report.source
    trips = [sum(map(_has_tripped, run.trips)) for run in report.runs]
    stops = [_by_itself(run) for run in report.runs]
    clicks = [sum(each.clicks for each in run.held if each.by == "auto") for run in report.runs]
    found = (
        (
            f"<span>{source.records:,}</span>",
            say(f"records read, {source.dead:,} no events", f"条记录，{source.dead:,} 条无效"),
        ),
        (_runs(map(str, trips)), say("trips", "次触发")),
        (_runs(map(str, stops)), say("channels stopped or slowed by itself", "个渠道被自动暂停或限流")),
        (_runs(map(amount, clicks)), say("clicks held back by itself, at least", "次点击被自动拦截（下限）")),
    )
    cards = (
        f'<div class="card"><div class="big">{big}</div><div class="what">{what}</div></div>' for big, what in found
    )
    return f'<div class="cards">{"".join(cards)}</div>'


def _runs(numbers: Iterator[str]) -> str:
    return "".join(f'<span class="run{run}">{number}</span>' for run, number in enumerate(numbers))


def _has_tripped(trip: Trip) -> bool:
    return trip.tripped is not None


def _by_itself(run: Run) -> int:
    return len({each.channel for each in run.held if each.by == "auto"})


def _differences(report: Report) -> str:
    if not report.differences:
        return f'<p class="quiet">{say("None: both fire alike.", "无：两个策略的触发完全一致。")}</p>'
    first, second = (chip(number, run.policy) for number, run in enumerate(report.runs))
    kinds = {
        "only_first": f"{say('only', '仅')} {first}",
        "only_second": f"{say('only', '仅')} {second}",
        "changed": say("changed", "不同"),
    }

    def row(each: Difference) -> list[str]:
        return [
            kinds[each.kind],
            both(name_of(each.indicator)),
            _subject(each),
            *(_side(trip, report.time_zone) for trip in each.sides(report.runs)),
        ]

    head = [say("What", "类别"), say("Indicator", "指标"), say("Subject", "对象"), first, second]
    return _folded(head, [row(each) for each in report.differences])


def _side(trip: Trip | None, zone: str) -> str:
    if trip is None:
        return "–"
    what = say("warned", "预警") if trip.tripped is None else say(f"level {trip.level}", f"{trip.level} 级")
    return f"<time>{clock(trip.tripped or trip.opened, zone)}</time> · {what} · {lasting(trip.seconds)}"


def _subject(each: Difference) -> str:
    return both(each.label) if each.subject.startswith(_NAMED) else escape(short(each.subject))


# -- one indicator


def _indicator(report: Report, axis: Axis, indicator: str) -> str:
    by_run = [[trip for trip in run.trips if trip.indicator == indicator] for run in report.runs]
    series = [each for each in report.series if each.indicator == indicator]
    counts = "".join(chip(run, str(sum(map(_has_tripped, trips)))) for run, trips in enumerate(by_run))
    head = f"<code>{escape(indicator)}</code>" + (f'<span class="counts">{counts}</span>' if any(by_run) else "")
    body = "".join(_picture(axis, each, by_run) for each in series)
    if any(by_run):
        if not series:
            body += f"<figure>{axis.lanes(by_run)}{axis.ticks()}</figure>"
        body += _trips(report, by_run)
    else:
        silent = say("Stayed silent.", "未触发。")
        if series:
            silent = say("Stayed silent. This came nearest:", "未触发。最接近阈值的是：")
        body = f'<p class="quiet">{silent}</p>{body}'
    return _section(both(name_of(indicator)), head, body)


def _picture(axis: Axis, series: Series, by_run: list[list[Trip]]) -> str:
    of_it = [[trip for trip in trips if trip.key == (series.rule, series.subject)] for trips in by_run]
    strand = f" <code>{escape(series.rule.partition('/')[2])}</code>" if series.rule != series.indicator else ""
    caption = (
        f'<figcaption><h3>{both(series.label)}{strand}</h3><span class="soft">{_worst(series)}</span></figcaption>'
    )
    return f"<figure>{caption}{axis.plot(series, of_it)}</figure>"


def _worst(series: Series) -> str:
    known = [point for points in series.runs for point in points if point.value is not None]
    worst = max(known, key=lambda point: (point.value or 0.0) / (point.threshold or 1.0))
    value, limit = figure(worst.value or 0.0, worst.threshold), figure(worst.threshold, worst.threshold)
    return say(f"worst {value}, limit {limit}", f"最差 {value}，阈值 {limit}")


def _trips(report: Report, by_run: list[list[Trip]]) -> str:
    head = [
        say("Tripped", "触发"),
        say("What", "内容"),
        say("Ordered", "措施"),
        say("Stood", "持续"),
        say("Level", "级别"),
        say("Worst", "最差值"),
        say("Limit", "阈值"),
    ]
    alike: dict[str, tuple[Trip, list[int]]] = {}
    for run, trips in enumerate(by_run):
        for trip in trips:
            alike.setdefault(trip.model_dump_json(), (trip, []))[1].append(run)
    found = sorted(alike.values(), key=lambda each: (each[0].opened, each[0].subject, each[1]))
    return _folded(head, [_trip(report, trip, runs) for trip, runs in found], numbers=4)


def _trip(report: Report, trip: Trip, runs: list[int]) -> list[str]:
    marks = [chip(run, report.runs[run].policy) for run in runs] if len(report.runs) > 1 else []
    if trip.shadow:
        marks.append(f'<span class="chip plain">{say("shadow", "影子")}</span>')
    if trip.tripped is None:
        marks.append(f'<span class="chip warning">{say("warned only", "仅预警")}</span>')
    subject = "" if trip.subject.startswith(_NAMED) else f'<div class="soft">{escape(short(trip.subject))}</div>'
    return [
        f"<time>{clock(trip.tripped or trip.opened, report.time_zone)}</time>",
        f"{both(trip.title)} {' '.join(marks)}{subject}",
        orders(trip),
        lasting(trip.seconds) + ("" if trip.resolved else " →"),
        str(trip.level) if trip.level else "–",
        figure(trip.value, trip.threshold),
        figure(trip.threshold, trip.threshold),
    ]


def _folded(head: list[str], rows: list[list[str]], *, numbers: int = 0) -> str:
    shown = table(head, rows[:ROWS], numbers=numbers)
    if len(rows) > ROWS:
        rest = rows[ROWS : 2 * ROWS]
        left = len(rows) - 2 * ROWS
        more = say(f"{len(rows) - ROWS:,} more", f"其余 {len(rows) - ROWS:,} 条")
        end = f'<p class="quiet">{say("The rest is in the JSON report.", "其余见 JSON 报告。")}</p>' if left > 0 else ""
        shown += f"<details><summary>{more}</summary>{table(head, rest, numbers=numbers)}{end}</details>"
    return shown


# -- the rest


def _held(report: Report) -> str:
    ways = {"auto": say("by itself", "自动"), "approve": say("once approved", "批准后")}
    head = [say("Channel", "渠道"), say("Policy", "策略"), say("How", "方式")]
    head += [say("Hours", "小时"), say("Clicks", "点击"), say("Impressions", "曝光"), say("Spend, CNY", "花费（元）")]
    head += [say("Accounts", "开户"), say("Purchases", "购买")]
    rows = [
        [
            *(both(each.label), chip(number, run.policy), ways[each.by], f"{each.hours:.1f}", amount(each.clicks)),
            *map(amount, (each.impressions, each.spend, each.accounts_opened, each.purchases)),
        ]
        for number, run in enumerate(report.runs)
        for each in run.held
    ]
    return _folded(head, rows, numbers=6)


def _read(report: Report) -> str:
    source = report.source
    topics = ", ".join(f"{name} {count:,}" for name, count in source.by_topic.items())
    codes = ", ".join(f"{code.rule} {code.digest}" for code in report.runs[0].codes)
    rows = (
        (say("Source", "来源"), escape(source.name)),
        (say("Records", "记录"), escape(topics)),
        (say("No events", "无效"), f"{source.dead:,}"),
        (say("History before", "此前历史"), lasting(source.warm_up_s)),
        (say("Policies", "策略"), " ".join(chip(number, run.policy) for number, run in enumerate(report.runs))),
        (say("Code of the rules", "规则代码"), f"<code>{escape(codes)}</code>"),
    )
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    notes = "".join(f"<li>{both(note)}</li>" for note in report.notes)
    return f'<dl>{items}</dl><ul class="notes">{notes}</ul>'
