"""What `tidegate alert test` sends and prints. Pure."""

from collections.abc import Iterator

from schemas.alerting import Route
from schemas.alerts import Change
from services.alerting.receivers.receiver import Receiver
from services.alerting.sending.delivery import Answer


def changes(receiver: Receiver) -> list[Change]:
    """What is told of the test alert: its end as well where it would go on ringing."""
    return ["alert.opened", "alert.resolved"] if receiver.keeps_state else ["alert.opened"]


def line(receiver: Receiver, change: Change, answer: Answer) -> str:
    """What came back, without a secret."""
    what = "the end of it" if change == "alert.resolved" else "the test alert"
    verdict = "took" if answer.delivered else "did not take"
    words = scrubbed(answer.words, receiver)
    said = f": {words}" if words else ""
    return f"{receiver.name} ({receiver.kind}) {verdict} {what}, {answer.problem.en}{said}"


def scrubbed(words: str, receiver: Receiver) -> str:
    """Somebody's words without what must not be shown."""
    for secret in receiver.secrets():
        words = words.replace(secret, "***")
    return words


def receivers_of(route: Route) -> list[str]:
    """All that a route may tell, those of its ladder last; each once."""
    return list(dict.fromkeys([*route.receivers, *(name for step in route.ladder for name in step.receivers)]))


def unknown(what: str, name: str, known: list[str]) -> Iterator[str]:
    """Why nothing was sent."""
    yield f"no {what} is called {name}"
    yield f"there are: {', '.join(sorted(known))}" if known else "there is none at all: see TIDEGATE_ALERTING_RECEIVERS"
