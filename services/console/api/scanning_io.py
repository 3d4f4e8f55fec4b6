"""The scan for people and pipelines: a text is judged as it would be once published."""

from fastapi import APIRouter

from services.console.api.answers import ScanAnswer
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import errors, refusal
from services.scanning.fingerprints import fingerprint
from services.scanning.report import Material

RETRY_S = 2


def scanning_routes(feed: Feed) -> APIRouter:
    """The route that scans; who may use it is for the app to say."""
    router = APIRouter(prefix="/api/v1")

    @router.post("/scan", summary="Hold a promotion text against the policy", responses=errors(400, 401, 413, 422, 503))
    async def scan(material: Material) -> ScanAnswer:
        """By the policy in force; nothing is kept of the text, nor told to anybody."""
        policy = feed.policy
        if policy.scanner is None or policy.label is None:
            raise refusal(503, "no policy is in force", retry_after_s=RETRY_S)
        report = policy.scanner.scan(material, policy.figures)
        return ScanAnswer(policy=policy.label, fingerprint=fingerprint(material.body), **dict(report))

    return router
