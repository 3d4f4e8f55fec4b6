"""The console's HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Depends, FastAPI

from schemas.topics import CHANNEL_COMMANDS, TOPICS
from services.console.api.answers import OrderProblem
from services.console.api.approvals_io import approval_routes
from services.console.api.automation_io import automation_routes
from services.console.api.figures_io import figure_routes
from services.console.api.incidents_io import incident_routes, regrouping_routes
from services.console.api.links_io import link_routes
from services.console.api.ordering_io import order_routes
from services.console.api.policy_words_io import policy_word_routes
from services.console.api.reading_io import directory_routes, reading_routes
from services.console.api.scanning_io import scanning_routes
from services.console.jobs.proving_io import prover_of
from services.console.jobs.trials_io import Trials
from services.console.orders.desk_io import Desk, Publishing
from services.console.orders.policy_desk_io import Changing, PolicyDesk
from services.console.pages.alerts.alert_io import alert_routes
from services.console.pages.alerts.alerts_io import alerts_routes
from services.console.pages.alerts.incidents_io import incidents_routes
from services.console.pages.board.board_io import board_routes
from services.console.pages.board.channel_io import channel_routes
from services.console.pages.board.high_risk_io import high_risk_routes
from services.console.pages.desks.desks_io import desk_routes
from services.console.pages.door.leaving_io import leaving_routes
from services.console.pages.door.provider_door_io import provider_routes
from services.console.pages.door.signing_in_io import sign_in_routes
from services.console.pages.frame.forms_io import form_routes
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.freshness import Freshness
from services.console.pages.frame.live_io import live_routes
from services.console.pages.policy.policy_edit_io import policy_edit_routes
from services.console.pages.policy.policy_io import policy_routes
from services.console.pages.policy.policy_trial_io import policy_trial_routes
from services.console.people import Person
from services.console.settings import ConsoleSettings
from services.console.signin.gate_io import Gate, Renewing
from services.console.signin.registrar_io import Registrar
from services.console.state.feed_io import Feed
from services.runtime.health import Health
from services.runtime.http.api_io import bearer, new_app, refusal

MAX_BODY_BYTES: Final = 128 * 1024
RETRY_S: Final = 2

_DESCRIPTION: Final = """What Tidegate knows and does, for people and their scripts.

Roles, each with the rights of those before it: a viewer reads and scans; an operator gives orders; an approver says yes
or no to what waits for people; an admin switches automation off and on. Orders go to the topic `channel-commands`, like
those of the indicators; what came of them is in the audit."""


def build_app(
    settings: ConsoleSettings,
    feed: Feed,
    publisher: Publishing,
    health: Health,
    changing: Changing | None = None,
    trials: Trials | None = None,
) -> FastAPI:
    """The app; feed and publisher are run by the caller. changing, trials: of policies, for tests."""
    app = new_app("Tidegate console", _DESCRIPTION, health, models=(OrderProblem,), max_body_bytes=MAX_BODY_BYTES)
    authenticated = bearer(settings.console_tokens_file)

    async def complete(_: Annotated[Person, Depends(authenticated)]) -> None:
        if not feed.complete:
            raise refusal(503, "still reading what there is", retry_after_s=RETRY_S)

    guarded = [Depends(complete)]
    app.include_router(reading_routes(feed), dependencies=guarded)
    app.include_router(figure_routes(feed), dependencies=guarded)
    app.include_router(approval_routes(feed), dependencies=guarded)
    app.include_router(automation_routes(feed), dependencies=guarded)
    app.include_router(directory_routes(feed), dependencies=guarded)
    desk = Desk(feed, publisher, TOPICS[CHANNEL_COMMANDS].partitions(settings.partitions))
    app.include_router(order_routes(feed, desk, authenticated), dependencies=guarded)
    app.include_router(incident_routes(feed), dependencies=guarded)
    app.include_router(regrouping_routes(feed, desk, authenticated), dependencies=guarded)
    app.include_router(scanning_routes(feed), dependencies=guarded)
    changing = changing or PolicyDesk(settings)
    app.include_router(policy_word_routes(feed, changing, authenticated), dependencies=guarded)
    if settings.link_key is not None:
        app.include_router(link_routes(feed, desk, settings.link_key))
    _add_pages(app, settings, feed, Freshness(health, datetime.now(UTC)), desk, changing, trials or Trials(settings))
    return app


def _add_pages(
    app: FastAPI,
    settings: ConsoleSettings,
    feed: Feed,
    freshness: Freshness,
    desk: Desk,
    changing: Changing,
    trials: Trials,
) -> None:
    """What people see."""
    frame, sessions, registrar = Frame(feed, freshness), Gate(settings, feed.signed_out), Registrar(desk)
    frame.adopt(app)
    app.add_middleware(Renewing)
    app.router.add_event_handler("shutdown", registrar.end)
    app.include_router(sign_in_routes(frame, sessions, registrar))
    app.include_router(leaving_routes(frame, sessions, registrar))
    if sessions.provider is not None:
        app.include_router(provider_routes(frame, sessions, sessions.provider, registrar))

    async def complete() -> None:
        if not feed.complete:
            raise PageError(503, "Still reading what there is: try again in a moment.", "正在读取数据，请稍后重试。")

    pages = [
        live_routes(feed, freshness, sessions.visiting, sessions.standing),
        form_routes(feed, desk, sessions.visiting),
        board_routes(frame, feed, sessions.visiting),
        high_risk_routes(frame, feed, desk, sessions.visiting),
        policy_routes(frame, feed, sessions.visiting, changing),
        alerts_routes(frame, feed, sessions.visiting),
        alert_routes(frame, feed, prover_of(settings), sessions.visiting),
        incidents_routes(frame, feed, desk, sessions.visiting),
        policy_edit_routes(frame, feed, sessions.visiting, changing, trials),
        policy_trial_routes(frame, feed, sessions.visiting, trials),
        channel_routes(frame, feed, sessions.visiting),
        *desk_routes(frame, feed, settings, sessions.visiting),
    ]
    for router in pages:
        app.include_router(router, dependencies=[Depends(complete)])
