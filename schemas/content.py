"""The part of the policy about promotion texts: what they must not say, and what they must."""

from schemas.base import Name
from schemas.closed import Closed


class Phrase(Closed):
    """A forbidden phrase. `instead`: the proposed rewording. `shadow`: found and counted, but no violation."""

    text: Name
    instead: str | None = None
    shadow: bool = False


class Prompt(Closed):
    """A sentence that must be there, or any text that one of the `patterns` (regular expressions) finds."""

    text: Name
    patterns: list[str] = []


class ContentPolicy(Closed):
    """What promotion texts are held against.

    phrases: forbidden. denials: words which, shortly before a phrase, turn it into its opposite. exceptions: innocent
    texts that contain a phrase. disguises: what is written to evade, and what it stands for. prompts: all are
    mandatory.
    """

    phrases: list[Phrase] = [Phrase(text="保本保收益"), Phrase(text="稳赚不赔")]
    denials: list[Name] = ["不", "非", "无法", "不能", "不承诺", "不保证", "并非", "严禁", "禁止", "不得"]
    exceptions: list[Name] = []
    disguises: dict[Name, Name] = {}
    prompts: list[Prompt] = [Prompt(text="投资有风险"), Prompt(text="历史业绩不代表未来表现")]
