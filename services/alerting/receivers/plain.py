"""What a bug in a renderer must not keep from people: how bad, what, where to read on, by as little code as does."""

from typing import Final

from services.alerting.receivers.markdown import tame
from services.alerting.receivers.notice import Notice

MOST: Final = 150
"""Characters of the title in each language: with the rest well within what the strictest receiver takes."""
_REST: Final = "The rest could not be written, please read it in Tidegate. 其余内容生成失败，请在 Tidegate 中查看。"


def plain_text(notice: Notice) -> str:
    """Two lines and the link, if there is one. Nothing in it calls people or leads elsewhere."""
    message = notice.message
    title = message.headline or message.data.title
    en, zh = (tame(" ".join(each.split())[:MOST]) for each in (title.en, title.zh))
    first = f"Tidegate, {message.data.severity}, {message.type.removeprefix('alert.')}: {en} / {zh}"
    return "\n".join([first, _REST, *([] if notice.links is None else [notice.links.alert])])
