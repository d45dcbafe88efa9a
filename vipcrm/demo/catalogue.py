"""What the demo bank sells (domain.md §16), and the kind of asset that each product counts as.

Order matters: the simulation refers to products by their place in this list.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A product of the catalogue. `kind`: column of DailyAsset, empty where it holds no money."""

    code: str
    name: str
    category: str
    ladder: int
    kind: str = ""
    risk: int | None = None
    term: int | None = None
    rate: float | None = None
    minimum: int = 0
    agency: bool = False


ITEMS = (
    # Term products: the simulation opens, matures and rolls these over.
    Item("CD-TD-091", "三个月定期", "deposit", 2, "time_deposit", 1, 91, 0.650, 50),
    Item("CD-TD-182", "六个月定期", "deposit", 2, "time_deposit", 1, 182, 0.850, 50),
    Item("CD-TD-365", "一年定期", "deposit", 2, "time_deposit", 1, 365, 0.950, 50),
    Item("CD-TD-730", "两年定期", "deposit", 2, "time_deposit", 1, 730, 1.050, 50),
    Item("CD-LC-365", "一年期大额存单", "deposit", 2, "time_deposit", 1, 365, 1.200, 200_000),
    Item("CD-LC-1095", "三年期大额存单", "deposit", 2, "time_deposit", 1, 1095, 1.550, 200_000),
    Item("SD-091", "汇利丰结构性存款 91 天", "deposit", 2, "structured", 1, 91, 1.700, 10_000),
    Item("SD-182", "汇利丰结构性存款 182 天", "deposit", 2, "structured", 1, 182, 1.850, 10_000),
    Item("WM-BLF-063", "本利丰 63 天", "wealth", 5, "wealth", 2, 63, 1.950, 10_000),
    Item("WM-BLF-091", "本利丰 91 天", "wealth", 5, "wealth", 2, 91, 2.050, 10_000),
    Item("WM-BLF-182", "本利丰 182 天", "wealth", 5, "wealth", 2, 182, 2.200, 10_000),
    Item("WM-BLF-365", "本利丰一年期", "wealth", 5, "wealth", 2, 365, 2.410, 10_000),
    Item("WM-NAV-365", "稳享增利净值理财一年", "wealth", 5, "wealth", 3, 365, 2.750, 10_000),
    Item("TB-1095", "储蓄国债（电子式）三年", "deposit", 2, "bond", 1, 1095, 1.630, 100),
    Item("TB-1825", "储蓄国债（电子式）五年", "deposit", 2, "bond", 1, 1825, 1.700, 100),
    Item("PB-TR-365", "集合资金信托一年期", "private", 8, "trust", 4, 365, 3.900, 300_000, True),
    Item("PB-TR-730", "代销资管计划两年期", "private", 8, "trust", 4, 730, 4.300, 300_000, True),
    # Open-ended.
    Item("DP-HLF", "活利丰", "deposit", 2, "demand", None, None, 0.050),
    Item("WM-SSF", "时时付", "wealth", 5, "wealth", 1, None, 1.450, 1),
    Item("FD-BAL-A", "均衡配置混合 A", "fund", 6, "fund", 3, None, None, 10, True),
    Item("FD-300-A", "沪深 300 指数 A", "fund", 6, "fund", 4, None, None, 10, True),
    Item("FD-BND-A", "稳健短债债券 A", "fund", 6, "fund", 2, None, None, 10, True),
    Item("AU-ACC", "账户金", "gold", 6, "gold", 3, None, None, 500),
    Item("IN-ANN", "福满岁岁养老年金", "insurance", 7, "insurance", None, None, None, 10_000, True),
    Item("IN-LIFE", "传世安康终身寿", "insurance", 7, "insurance", None, None, None, 10_000, True),
    Item("CH-CUST", "第三方存管", "channel", 1, "custody_cash"),
    # Without money of their own in AUM.
    Item("CH-APP", "掌上银行", "channel", 1),
    Item("CH-POS", "市场通智能 POS", "channel", 1),
    Item("PY-PAY", "代发工资", "payroll", 2),
    Item("CC-STD", "信用卡", "card", 3),
    Item("CC-GREEN", "绿钻信用卡", "card", 3),
    Item("LN-HOME", "个人住房贷款", "loan", 4, rate=3.100),
    Item("LN-HNE", "惠农 e 贷", "loan", 4, rate=3.650),
)

SELLING_POINTS = {
    "WM-SSF": "随存随取，资金当日到账；闲钱不闲着，收益高于活期。\n适合：发工资、收货款后暂时不用的钱。",
    "WM-BLF-091": "期限短、到期日清楚，客户容易安排。\n先说风险等级 R2，再说业绩比较基准不是保证收益。",
    "WM-BLF-365": "一年期业绩比较基准 2.41%。\n适合：到期定存的承接，与大额存单搭配讲期限。",
    "CH-APP": "转账免费、到期提醒、对账方便；当面帮客户装好并试一笔。",
    "CH-POS": "一机收微信、支付宝、银行卡，当日到账；配合活利丰，收款就有收益。",
    "IN-ANN": "按年领取，讲清缴费年数、犹豫期和退保损失；先做需求分析再谈产品。",
    "FD-BND-A": "先讲净值会波动，再讲适合六个月以上不用的钱。",
    "CC-GREEN": "私行客户专属额度，先了解出行和医疗需要，再介绍权益。",
}
"""How managers introduce a product."""

TERM_ITEMS = [index for index, item in enumerate(ITEMS) if item.term]
PLACE = {item.code: index for index, item in enumerate(ITEMS)}

MARKS = ("deposit", "wealth", "fund", "gold", "insurance", "private", "card", "loan", "payroll", "channel")
"""Categories in the order in which a customer's product marks are written."""
