"""The pages Content, Complaints, Audit and Dead letters, all together."""

from fastapi import APIRouter

from services.console.jobs.chain_check_io import ChainCheck
from services.console.pages.desks.audit_io import audit_routes
from services.console.pages.desks.complaints_io import complaint_routes
from services.console.pages.desks.content_io import content_routes
from services.console.pages.desks.dead_letters_io import dead_letter_routes
from services.console.pages.frame.frame_io import Frame
from services.console.pages.frame.visitor_io import Visiting
from services.console.settings import ConsoleSettings
from services.console.state.feed_io import Feed


def desk_routes(frame: Frame, feed: Feed, settings: ConsoleSettings, visiting: Visiting) -> list[APIRouter]:
    """Their routes."""
    return [
        content_routes(frame, feed, visiting),
        complaint_routes(frame, feed, visiting),
        audit_routes(frame, feed, visiting, ChainCheck(settings)),
        dead_letter_routes(frame, feed, visiting),
    ]
