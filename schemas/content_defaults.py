"""The lists that promotion texts are held against where the policy has none of its own."""

from typing import Final

PHRASES: Final[dict[str, str]] = {
    "保本保收益": "本金与收益随市场波动",
    "保本保息": "本金与利息以合同为准",
    "保本": "非保本",
    "保证本金": "力求本金稳健",
    "保障本金": "力求本金稳健",
    "确保本金": "力求本金稳健",
    "本金无忧": "本金可能受损",
    "本金百分百安全": "本金可能受损",
    "本金绝对安全": "本金可能受损",
    "稳赚不赔": "有盈有亏",
    "稳赚不亏": "有盈有亏",
    "稳赚": "争取收益",
    "稳赢": "争取收益",
    "包赚不赔": "有盈有亏",
    "包赚": "争取收益",
    "只赚不赔": "有盈有亏",
    "只赚不亏": "有盈有亏",
    "有赚无赔": "有盈有亏",
    "必赚": "争取收益",
    "躺赚": "争取收益",
    "一定赚钱": "可能盈利也可能亏损",
    "零风险": "风险等级见产品说明书",
    "0风险": "风险等级见产品说明书",
    "无风险": "风险等级见产品说明书",
    "没有任何风险": "风险等级见产品说明书",
    "零亏损": "可能亏损",
    "绝不亏损": "可能亏损",
    "永不亏损": "可能亏损",
    "刚性兑付": "按合同约定兑付",
    "刚兑": "按合同约定兑付",
    "兜底": "自负盈亏",
    "保证收益": "力争收益",
    "承诺收益": "力争收益",
    "收益有保证": "收益以实际为准",
    "收益有保障": "收益以实际为准",
    "保收益": "收益以实际为准",
    "保底": "浮动",
    "只涨不跌": "有涨有跌",
    "必涨": "可能上涨也可能下跌",
    "内幕消息": "公开信息",
}
"""A forbidden phrase, and what to write instead."""

DENIALS: Final[dict[str, int]] = {
    **dict.fromkeys(["不", "非", "未", "没"], 0),
    **dict.fromkeys(["无", "没有", "勿"], 1),
    **dict.fromkeys(["不是", "并非", "不会", "不能", "无法", "难以", "不等于", "不代表", "打破", "所谓"], 4),
    **dict.fromkeys(["不对", "不属于", "不构成", "不意味", "不以", "从不", "从未", "从来不是", "别信", "别被"], 6),
    **dict.fromkeys(["轻信", "相信", "警惕", "谨防", "防范", "识破", "远离", "拒绝", "抵制"], 6),
    **dict.fromkeys(["谎称", "宣称", "号称", "假冒", "编造", "传播", "虚假宣传", "违规宣传", "违规承诺"], 6),
    **dict.fromkeys(["不承诺", "不保证", "不提供", "不得", "不应", "不存在", "不可能", "没有任何", "没有哪"], 12),
    **dict.fromkeys(["禁止", "严禁"], 20),
}
"""A word before a phrase, and how many characters may stand between."""

REFUTATIONS: Final[dict[str, int]] = {
    **dict.fromkeys(["等字样", "等用语", "等表述", "等说法", "字样"], 1),
    **dict.fromkeys(["为名", "为诱饵", "为幌子", "无效", "被打破", "成历史", "不复存在"], 4),
    **dict.fromkeys(["骗局", "骗人", "诈骗", "陷阱", "误解", "误区", "违规", "虚假", "虚构", "幻想", "错误"], 8),
    **dict.fromkeys(["不存在", "不可信", "不受", "当心", "禁止", "被罚", "处罚", "查处", "获刑"], 8),
}
"""A word behind a phrase, and how many characters may stand between."""

FALSE_DENIALS: Final[list[str]] = [
    *["无不", "不是不", "并非不", "绝非不", "没有不", "不会不", "不可能不", "不能不", "还能不", "怎能不", "岂能不"],
    *["不得不", "不得错过", "不能错过", "不是梦", "不是神话", "不是骗", "绝非骗", "并非骗", "不是陷阱", "不是虚假"],
]
"""What only looks like a denial or a refutation; a denial that is itself denied is one of them."""

_COVER: Final = [
    *["投保", "承保", "续保", "退保", "参保", "核保", "统保", "团保", "脱保", "断保", "加保", "减保", "人保", "太保"],
    *["社保", "医保", "低保", "劳保", "环保", "安保", "质保", "联保", "追保", "交保", "取保", "作保", "车保"],
    *["确保", "担保", "永保", "自保", "管保", "难保"],
]
"""Words that end in 保, so that what follows them begins another word: `投保|本公司`, `环保|收益`."""

EXCEPTIONS: Final[list[str]] = [
    *[f"{word}本" for word in _COVER],
    *[f"{word}收益" for word in _COVER if word not in ("确保", "担保", "永保", "管保")],
    *["保证本报告", "保证本公司", "保证本金融", "确保本金融", "保证收益权"],
    *[f"{word}赚" for word in ("钱包", "红包", "面包", "承包", "未必", "何必", "不必")],
    *["未必涨", "不必涨", "不一定赚钱", "站稳赢", "归零风险", "清零风险", "有无风险", "无风险测评", "无风险提示"],
    # terms of accounting, finance and law
    *["保本点", "保本分析", "保本额", "保本量", "保本率", "保本销售", "保本微利", "保底工资", "保底薪"],
    *["无风险利率", "无风险收益率", "无风险套利", "无风险资产", "无风险报酬"],
    *["兜底条款", "兜底保障", "兜底政策", "兜底措施", "政府兜底", "民生兜底"],
]
"""Innocent texts that contain a phrase."""

DISGUISES: Final[dict[str, str]] = {
    # for any phrase: signs that are hardly ever written otherwise, and syllables
    **dict(zip("夲収穏", "本收稳", strict=True)),
    **dict(zip(["亻呆", "贝兼"], "保赚", strict=True)),
    **dict(zip(["bao", "ben", "wen", "zhuan", "bu", "pei", "feng", "xian"], "保本稳赚不赔风险", strict=True)),
    # signs with a life of their own, so only beside others of the phrase
    **{f"{sign}本保": "保本保" for sign in "宝葆堡"},
    **{f"保{sign}": "保本" for sign in "苯笨"},
    **{f"{sign}赚不": "稳赚不" for sign in "吻文温"},
    **{f"稳{sign}不": "稳赚不" for sign in "转钻撰"},
    **{f"赚不{sign}": "赚不赔" for sign in "陪培倍"},
    **{f"包{sign}不": "包赚不" for sign in "转钻撰"},
    **{f"零{sign}险": "零风险" for sign in "疯凤枫丰"},
}
"""What is written to evade, and what it stands for."""

PROMPTS: Final[dict[str, list[str]]] = {
    "投资有风险": ["(投资|理财|市场|基金)[^没无未不\\n]{0,6}(有|存在)[^没无未不\\n]{0,2}风险"],
    "历史业绩不代表未来表现": ["(历史|过往|过去)(业绩|表现|收益).{0,10}不(代表|预示|构成|保证|等于|意味).{0,8}未来"],
}
"""A mandatory prompt, and the patterns of other words for it."""
