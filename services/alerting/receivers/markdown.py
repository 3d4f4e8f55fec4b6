"""Texts in the Markdown of chat systems, which has no way to escape: signs with a meaning get their wide form."""

from typing import Final

from services.alerting.receivers.notice import Notice

_WIDE: Final = str.maketrans("[]<>*`", "［］＜＞＊｀")


def tame(text: str) -> str:
    """The text, in which nothing makes a link, a picture or a mention; as many characters as before."""
    return text.translate(_WIDE)


def links(notice: Notice) -> str:
    """The links side by side."""
    return "  |  ".join(f"[{name}]({url})" for name, url in notice.named_links())
