"""The panels of which a query gives nothing in the test's run of Tidegate, and why: what they ask for is not there.

By dashboard and title. A test holds that these are all, and that each truly lacks something.
"""

from typing import Final

EMPTY: Final[dict[tuple[str, str], str]] = {
    ("Tidegate", "Rules that raised"): "no rule raises on sound events",
}
