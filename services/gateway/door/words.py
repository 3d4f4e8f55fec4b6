"""What the door says, in both languages. Pure."""

from typing import Final

from schemas.base import Bilingual


def _said(en: str, zh: str) -> Bilingual:
    return Bilingual(en=en, zh=zh)


CHANNEL_UNKNOWN: Final = _said("Please choose one from the list.", "请从列表中选择。")
PRODUCT_UNKNOWN: Final = CHANNEL_UNKNOWN
TEXT_MISSING: Final = _said("Please say in a few words what happened.", "请简单说明发生了什么。")
CONTACT_TOO_LONG: Final = _said(
    "Please give one telephone number or one e-mail address.", "请填写一个电话号码或一个电子邮箱。"
)
WEBSITE_FILLED: Final = _said(
    "Please leave this field empty: it is here to stop programs. Your browser may have filled it in.",
    "请将此栏留空：它用于阻止自动程序，可能是浏览器自动填入的。",
)
TOO_FAST: Final = _said(
    "That was very quick, so we ask you to look at it once more. Nothing is lost: press Send again.",
    "提交得非常快，请再核对一次。内容没有丢失，请再次点击提交。",
)
TOO_OLD: Final = _said(
    "This form had been open for long. Nothing is lost: press Send again.",
    "页面打开的时间过长。内容没有丢失，请再次点击提交。",
)
NOT_KEPT: Final = _said(
    "Your complaint could not be stored just now. Your words are still here: press Send again in a moment.",
    "暂时无法保存您的投诉。您填写的内容仍在，请稍后再次点击提交。",
)
TOO_MANY: Final = _said(
    "So many complaints have come from here within an hour that we cannot take this one in now. Your words are still "
    "here: please send it later.",
    "一小时内来自此处的投诉过多，暂时无法受理。您填写的内容仍在，请稍后再提交。",
)
MEND: Final = _said("Please look at what is marked below.", "请检查下方标出的内容。")
TOO_LARGE: Final = _said("This is too much text for one form.", "填写的内容过长。")
BUSY: Final = _said(
    "We could not read what you sent. Please go back and send it once more.", "未能读取您提交的内容，请返回后重新提交。"
)
STARTING: Final = _said("We are just starting. Please try again in a moment.", "服务正在启动，请稍后重试。")


def text_too_long(length: int, limit: int) -> Bilingual:
    """A text beyond the limit."""
    return _said(
        f"Please say it in at most {limit} characters; these are {length}.",
        f"请控制在 {limit} 个字符以内，现有 {length} 个字符。",
    )
