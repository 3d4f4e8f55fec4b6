"""The routes on which people's scripts see the versions of the policy, and answer to those that wait."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from schemas.policy_topic import PolicyRecord, PolicyTopic
from services.console.api.ordering_io import Authenticated, at_least
from services.console.api.reading_io import Limit
from services.console.orders.orders import Order, Reason
from services.console.orders.policy_desk_io import Changing, PolicyAwayError
from services.console.people import Person, Role
from services.console.state.feed_io import Feed
from services.policies.changes import Ask, Change, RefusedError
from services.policies.deciding import approve, reject, withdraw
from services.runtime.http.api_io import errors, refusal

RETRY_S: Final = 5
Label = Annotated[
    str, Field(max_length=300, pattern=r"^[^/\x00-\x1f\x7f]+/[1-9][0-9]{0,17}$", description="As in `default/3`.")
]
Plan = Callable[[PolicyTopic, str, Ask], Change]


class VersionList(BaseModel):
    """active: the version in force, if any. versions: how each came about, the newest first."""

    active: str | None
    versions: list[PolicyRecord]


class PolicyWord(Order):
    """What somebody says to a version that waits."""

    version: Label
    note: Annotated[Reason, Field(max_length=2000)]


class PolicyAnswer(BaseModel):
    """What came of it. version: how it stands now."""

    says: str
    version: PolicyRecord


def policy_word_routes(feed: Feed, desk: Changing, authenticated: Authenticated) -> APIRouter:
    """The routes; each says which role it takes."""
    router = APIRouter(prefix="/api/v1/policies")

    @router.get("", summary="The versions of the policy", responses=errors(401, 422, 503))
    async def list_versions(limit: Limit = 100) -> VersionList:
        """Those that are `proposed` wait for others until `expires_at`; answer with one of the words below."""
        known = sorted(feed.policies.records.values(), key=lambda each: (each.at, each.version), reverse=True)
        return VersionList(active=feed.policies.active, versions=known[:limit])

    def saying(word: str, role: Role, plan: Plan, summary: str, text: str) -> None:
        async def say(said: PolicyWord, person: Annotated[Person, Depends(at_least(role, authenticated))]) -> Any:
            return await _said(desk, person, said, plan)

        router.add_api_route(
            f"/{word}",
            say,
            methods=["POST"],
            name=f"{word}_policy",
            summary=summary,
            description=text,
            response_model=PolicyAnswer,
            responses=errors(400, 401, 403, 409, 413, 422, 503),
        )

    saying("approve", "approver", approve, "Agree to a policy", "The last one that it takes puts it in force.")
    saying("reject", "approver", reject, "Say no to a policy", "One no ends it: the version never comes into force.")
    saying("withdraw", "operator", withdraw, "Take back a policy", "Only for whoever proposed it.")
    return router


async def _said(desk: Changing, person: Person, said: PolicyWord, plan: Plan) -> PolicyAnswer:
    ask = Ask(person.name, datetime.now(UTC), said.note)
    try:
        change = await desk.change(ask, lambda topic, ask: plan(topic, said.version, ask))
    except RefusedError as error:
        raise refusal(409, f"refused: {error}") from None
    except PolicyAwayError:
        late = "Kafka has not taken it in time; look at the versions, and say it again"
        raise refusal(503, late, retry_after_s=RETRY_S) from None
    record = next(value for key, value in change.records.items() if key.startswith("history/"))
    return PolicyAnswer(says=change.says, version=PolicyRecord.model_validate_json(record))
