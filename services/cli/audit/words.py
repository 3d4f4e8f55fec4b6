"""What `tidegate audit verify` says."""

from collections.abc import Iterator
from typing import Final

from services.auditing.checking import Checker
from services.auditing.heads import HeadBook

MOST_SAID: Final = 100


def lines_of(checker: Checker, book: HeadBook | None) -> Iterator[str]:
    """What is wrong first, then what was looked at, then what cannot be told."""
    problems = [*(str(each) for each in checker.findings), *([] if book is None else book.problems)]
    count = checker.found + (0 if book is None else len(book.problems))
    yield from problems[:MOST_SAID]
    if count > MOST_SAID:
        yield f"… and {count - len(problems[:MOST_SAID]):,} more"
    repeated = f", {checker.repeated:,} of them exact repeats, as after a death" if checker.repeated else ""
    yield f"{checker.records:,} records in {len(checker.ends):,} chains{repeated}: {_verdict(checker, count)}"
    if checker.unchained.last is not None:
        services = ", ".join(f"{each:,} of {service}" for service, each in checker.unchained.services.most_common(20))
        last = f"{checker.unchained.last:%Y-%m-%d %H:%M:%S} UTC"
        yield f"from before there were chains, and not verifiable: {services}; the last of {last}"
    yield _heads(checker, book)


def _verdict(checker: Checker, problems: int) -> str:
    if problems:
        return f"broken, {problems:,} findings"
    return "all follow" if checker.ends else "nothing to verify"


def _heads(checker: Checker, book: HeadBook | None) -> str:
    if book is None:
        return (
            "note: no signed heads were given (--heads), so a chain that was cut off at its end or rewritten whole "
            "would not be seen"
        )
    newest = book.newest()
    if newest is None:
        return "there is no signed head to hold the audit to"
    beyond = sum(end.number - max(book.signed.get(name, {}), default=0) for name, end in checker.ends.items())
    return (
        f"{checker.agreed:,} signed heads agree, the newest of {newest:%Y-%m-%d %H:%M:%S} UTC; "
        f"{max(0, beyond):,} records are newer, and not signed yet"
    )
