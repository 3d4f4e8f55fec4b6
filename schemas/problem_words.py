"""What checks say of messages and documents, in Chinese. Libraries word most of it, in English only, and records keep
it so: hence it is known here by its English.
"""

import re
from typing import Final

from schemas.base import Bilingual

_PROBLEMS: Final = (
    (r"is required", "必填"),
    (r"is not known; is it misspelt, or in the wrong place\?", "未知的名称：是否拼写有误或位置不对？"),
    (r"is given twice, first in line (\d+)", r"重复出现，首次在第 \1 行"),
    (r"is not YAML: .*", "不是有效的 YAML"),
    (r"no indicator is called so; there are (.*)", r"没有这个指标；现有 \1"),
    (r"(\w+) gives no such command; it has (.*)", r"\1 没有这种动作；有 \2"),
    (r"(\w+) judges each (\w+) by itself: write (.*)", r"\1 按 \2 逐个判断：请写 \3"),
    (r"\w+ is no ratio: .*", "该指标不是比率，按事件或期限判断，没有可持续的时长"),
    (r"is not a duration such as (.*) or (.*)", r"不是时长，例如 \1、\2"),
    (r"is not a time zone such as (.*)", r"不是时区，例如 \1"),
    (r"is one of (.*), or a mapping from actions to these", r"须为 \1 之一，或按动作分别给出"),
    (r"must be more than nothing and at most (.*)", r"须大于零且不超过 \1"),
    (r"has no slash, which stands before the version", "不得含斜杠，斜杠用于版本号之前"),
    (r"Input should be greater than or equal to (.*)", r"应不小于 \1"),
    (r"Input should be greater than (.*)", r"应大于 \1"),
    (r"Input should be less than or equal to (.*)", r"应不大于 \1"),
    (r"Input should be less than (.*)", r"应小于 \1"),
    (r"Input should be a valid integer.*", "应为整数"),
    (r"Input should be a valid number.*", "应为数字"),
    (r"Input should be a valid string", "应为文本"),
    (r"Input should be a valid boolean.*", "应为 true 或 false"),
    (r"Input should be a valid (?:dictionary|list|array).*", "此处应为映射或列表"),
    (r"is not valid JSON: .*", "不是有效的 JSON"),
    (r"is not a JSON object(?:: .*)?", "不是 JSON 对象"),
    (r"is none of (.*)", r"不在取值范围内：\1"),
    (r"is larger than ([\d,]+) bytes", r"超过 \1 字节"),
    (r"is nested too deeply", "嵌套层数过多"),
    (r"is more than five minutes ahead of the time it was received", "比接收时间超前五分钟以上"),
    (r"is a batch .*", "所在的批次无法读取"),
    (r"is a control record, .*", "是控制记录，只用于重放的时钟"),
    (r"(\S+) belongs on the topic (\S+)", r"\1 应发往主题 \2"),
    (r"is not an RFC 3339 time with a zone, such as (.*)", r"不是带时区的 RFC 3339 时间，例如 \1"),
    (r"is not a time that exists", "时间不存在"),
    (r"is not a day that exists(?:, or .*)?", "日期不存在"),
    (r"is not a date such as (\S+?)(?:, or (\S+) for every year)?", r"不是日期，例如 \1"),
    (r"is not a time of day such as (.*), in quotes", r"不是时刻，例如 \1（加引号）"),
    (r"(.*) is both in holidays and in workdays", r"\1 同时列为节假日和工作日"),
    (r"work_to must be at least an hour after work_from", "work_to 须比 work_from 至少晚一小时"),
    (r"ends after it begins: .*", "结束时间须晚于开始时间"),
    (r"holds no letter or digit, .*", "不含文字或数字，无法匹配"),
    (r"holds the end of a sentence, .*", "含句末标点，匹配不跨句"),
    (r"holds (.*), but texts are matched without spaces and signs", r"含 \1，而匹配时忽略空格与标点"),
    (r"is not a regular expression of RE2: (.*)", r"不是有效的 RE2 正则表达式：\1"),
    (r"finds something in an empty text, .*", "会匹配空文本，提示语将永远不会缺失"),
    (r"lists (.*) more than once", r"重复列出 \1"),
    (r"each step of a ladder comes later than the one before", "升级的每一级须晚于前一级"),
    (r"two routes have the same name", "有两条路由同名"),
    (
        r"must be rising shares of the traffic that end with 1.0, such as (.*)",
        r"须为递增的流量比例并以 1.0 结束，例如 \1",
    ),
    (r"is true, false, or a mapping from .*", "须为 true、false，或按动作分别给出"),
    (r"pause_at must be above slow_at", "pause_at 须大于 slow_at"),
    (r"names either an alert_id or a target", "须指明 alert_id 或 target 之一"),
    (r"says in its note why", "须填写原因"),
    (r"a throttle has a factor, nothing else has", "限流须填写比例，其他措施不填"),
    (r"String should have at most (\d+) characters?", r"最多 \1 个字符"),
    (r"String should have at least (\d+) characters?", r"至少 \1 个字符"),
    (r"String should match pattern .*", "格式不符"),
    (r"(?:List|Set|Dictionary|Tuple) should have at most (\d+) items? .*", r"最多 \1 项"),
    (r"(?:List|Set|Dictionary|Tuple) should have at least (\d+) items? .*", r"至少 \1 项"),
    (r"Input should be a finite number", "应为有限的数字"),
    (r"Input should have timezone info", "时间应带时区"),
    (r"Input should be a valid datetime.*", "应为时间"),
    (r"Extra inputs are not permitted", "未知的字段"),
    (r"Field required", "必填"),
    (r"Input should be (.*)", r"应为 \1"),
)


def both(text: str) -> Bilingual:
    """What is wrong with a part, in both languages; what is not known here stands in English."""
    for pattern, chinese in _PROBLEMS:
        if match := re.fullmatch(pattern, text, re.DOTALL):
            return Bilingual(en=text, zh=match.expand(chinese))
    return Bilingual(en=text, zh=text)
