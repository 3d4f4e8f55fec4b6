"""Why somebody was not let in, as the page says it. It never tells whether a name exists."""

from typing import Final

from schemas.base import Bilingual

WRONG: Final = Bilingual(en="Name or password is not right.", zh="用户名或密码不正确。")
BUSY: Final = Bilingual(en="Many people are signing in: try again in a moment.", zh="登录人数过多，请稍后重试。")
ELSEWHERE: Final = Bilingual(
    en="This did not come from a page of ours: open the page anew.", zh="请求并非来自本站页面，请重新打开页面。"
)
LATE: Final = Bilingual(
    en="That took too long, or was begun elsewhere: begin again.", zh="登录已超时或并非从此处开始，请重新登录。"
)
AWAY: Final = Bilingual(
    en="The company's sign-in does not answer. Try again in a moment.",
    zh="统一登录服务无响应，请稍后重试。",
)
DENIED: Final = Bilingual(en="The company's sign-in did not let you in.", zh="统一登录未通过。")
NO_ROLE: Final = Bilingual(
    en="You are known, but have no role here: ask whoever manages access.",
    zh="已识别您的身份，但未授予角色，请联系管理员。",
)
NO_NAME: Final = Bilingual(
    en="The company's sign-in does not say who you are here: ask whoever manages access.",
    zh="统一登录未提供可用的用户标识，请联系管理员。",
)
SAME: Final = Bilingual(
    en="A local user has this name. Whoever manages access has to say whether that is you.",
    zh="存在同名的本地用户，请管理员确认是否为同一人。",
)


def wait(seconds: float) -> Bilingual:
    """Too many tries."""
    whole = max(1, round(seconds + 0.5))
    return Bilingual(en=f"Too many tries: wait {whole} s.", zh=f"尝试次数过多，请 {whole} 秒后重试。")
