"""What the indicators read, for people: how each subject stood when a pane closed, hourly sums for the figures, and
which complaints wait for an answer.

All are on the topic `readings`, keyed by their writer. What is written again says the same, or more of the same hour,
and takes the place of what stood there: nothing is ever added twice.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Instant, Message, Name, Ref, Versioned

ReadingVerdict = Literal["calm", "warning", "breach", "unsure"]
"""`warning`: near enough to the threshold for an episode. `unsure`: too little is known, and the value is null."""

Standing = tuple[float | None, float | None, ReadingVerdict]
"""Value, the threshold that it is held against, and what was said of it. A larger value is worse."""

MAX_SUBJECTS: Final = 800
"""Of each indicator, and of each scope of a tally. A message has no more values or names than this, so that it is under
1 MiB though each name had 200 characters of four bytes."""

Scope = Literal["all", "channel", "product", "segment"]
"""By what is summed: `all` for what belongs to none of the others, such as mentions, with the one name `all`."""

Measure = Literal[
    "impressions",
    "engagements",
    "searches",
    "clicks",
    "suspicious_clicks",
    "spend",
    "leads",
    "accounts_opened",
    "purchases",
    "purchase_amount",
    "complaints",
    "answered",
    "answered_in_time",
    "answer_seconds",
    "mentions",
    "negative_mentions",
]
"""What is summed; money in CNY. `answered`: complaints, in the hour of the answer; `answer_seconds`: how long they had
waited, summed."""

LeftOut = Annotated[int, Field(ge=0)]


class Reading(Versioned):
    """How the subjects of one writer stood at the end of a pane.

    indicators: those that judge such subjects, so that one sees whether they do, even where there is no subject.
    values: by indicator and subject. counts: by indicator, of subjects that are too many or not to be named (actors,
    complaints, contents), how many stand in `warning`, in `breach`, and how many are `open` in all. left_out: values
    for which there was no room.
    """

    kind: Literal["reading"] = "reading"
    writer: Name
    subject_kind: Name
    at: Instant
    indicators: list[Name] = []
    values: dict[Name, dict[Ref, Standing]] = {}
    counts: dict[Name, dict[Name, int]] = {}
    left_out: LeftOut = 0


class Tally(Versioned):
    """What one writer has counted of an hour so far. A measure that is not named is zero.

    hour: where it begins. sums: by scope and name (`channel`: `douyin`); each scope comes in a message of its own.
    left_out: names for which there was no room.
    """

    kind: Literal["tally"] = "tally"
    writer: Name
    hour: Instant
    sums: dict[Scope, dict[Name, dict[Measure, float]]]
    left_out: LeftOut = 0


class OpenCase(Message):
    """A complaint that waits for its answer. at: when it was opened."""

    at: Instant
    channel: str
    product: Name | None = None
    entry: str
    high_net_worth: bool = False


class Cases(Versioned):
    """What has become of single complaints since the writer told of them last: those that wait for an answer, and those
    that do so no more, answered or forgotten. By id; nobody's words.
    """

    kind: Literal["cases"] = "cases"
    writer: Name
    at: Instant
    waiting: dict[Name, OpenCase] = {}
    settled: list[Name] = []


READINGS_MESSAGE: Final[TypeAdapter[Reading | Tally | Cases]] = TypeAdapter(
    Annotated[Reading | Tally | Cases, Field(discriminator="kind")]
)
"""Any of them, as it stands on the topic."""
