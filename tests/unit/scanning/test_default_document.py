"""The default document says of content what holds without it."""

from pathlib import Path

from schemas.content import ContentPolicy
from services.policies.reading import read_policy
from services.scanning.report import Figures, figures_in

DOCUMENT = Path(__file__).parents[3] / "deploy" / "policy.yaml"


def test_the_default_document_is_the_default() -> None:
    policy = read_policy(DOCUMENT)
    assert policy.content == ContentPolicy()
    assert figures_in(policy) == Figures()
    assert f"{len(policy.content.phrases)} phrases" in DOCUMENT.read_text("utf-8")
