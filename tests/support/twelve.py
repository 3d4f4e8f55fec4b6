"""The indicators of the release: people have written of each in the runbook, the policy, the stories and the oracle.

A rule that somebody adds is held to what every rule owes, and not to these texts, which know nothing of it.
"""

from typing import Final

from services.indicators.registry import all_rules
from services.indicators.rule import AnyRule

TWELVE: Final = frozenset(
    {
        "cac_spike",
        "click_fraud",
        "complaint_flood",
        "complaint_rate",
        "complaint_sla",
        "complaint_volume",
        "content_violation",
        "conversion_drop",
        "engagement_drop",
        "market_volatility",
        "negative_sentiment",
        "search_divergence",
    }
)
ADDED: Final = {rule.id for rule in all_rules()} - TWELVE
"""Those that somebody has added."""


def the_twelve() -> list[AnyRule]:
    """Their rules, with both strands where an indicator has two."""
    return [rule for rule in all_rules() if rule.id in TWELVE]
