"""What people read of an incident and its cause, in both languages."""

from typing import Final

from schemas.base import Bilingual

KINDS: Final = {
    "account": Bilingual(en="account", zh="账户"),
    "actor": Bilingual(en="address", zh="地址"),
    "channel": Bilingual(en="channel", zh="渠道"),
    "complaint": Bilingual(en="complaint", zh="投诉"),
    "content": Bilingual(en="content item", zh="内容"),
    "link": Bilingual(en="link", zh="链接"),
    "market": Bilingual(en="market figure", zh="市场指标"),
    "product": Bilingual(en="product", zh="产品"),
    "source": Bilingual(en="source", zh="来源"),
    "text": Bilingual(en="text with fingerprint", zh="文案（指纹）"),
}
"""Things by kind; another kind is called as it is."""

ALONE: Final = Bilingual(en="{title}", zh="{title}")
COMMON: Final = Bilingual(en="{thing}; it began with: {title}", zh="{thing}；最早的告警：{title}")
PUT_TOGETHER: Final = Bilingual(
    en="Nothing that the alerts share; people put them together. It began with: {title}",
    zh="告警之间没有共同对象，由人工合并；最早的告警：{title}",
)
SHARED: Final = Bilingual(en="{count} of {all} alerts speak of {thing}.", zh="{all} 条告警中有 {count} 条涉及{thing}。")
EXPLAINS: Final = Bilingual(
    en="{cause} can bring about {effects}.",
    zh="{cause} 可能引发 {effects}。",
)
WITHIN: Final = Bilingual(
    en="All were opened within {minutes} min.",
    zh="全部告警在 {minutes} 分钟内发生。",
)
BY_PEOPLE: Final = Bilingual(en="People have merged or split this incident.", zh="该事件经人工合并或拆分。")
TITLE: Final = Bilingual(en="{title} (and {more} more alerts)", zh="{title}（另有 {more} 条告警）")
TITLE_ONE: Final = Bilingual(en="{title} (and one more alert)", zh="{title}（另有 1 条告警）")


def fill(text: Bilingual, **values: Bilingual | str | int) -> Bilingual:
    """A sentence with its values, each in the sentence's language."""
    en = {name: value.en if isinstance(value, Bilingual) else value for name, value in values.items()}
    zh = {name: value.zh if isinstance(value, Bilingual) else value for name, value in values.items()}
    return Bilingual(en=text.en.format(**en), zh=text.zh.format(**zh))
