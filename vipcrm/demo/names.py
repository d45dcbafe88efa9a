"""Names that read like those of real people, by sex and by the fashion of the birth years."""

import numpy as np

SURNAMES = (
    "陈 9 黄 8 李 7.5 梁 6 韦 5.5 王 5.5 张 5 刘 5 林 4 周 3.5 吴 3.5 莫 3 覃 3 杨 3 何 2.6 罗 2.6 谢 2.2 蒙 1.6 农 1.2 陆 2 "
    "邓 2.2 唐 2 蒋 1.8 赵 2.4 徐 1.8 孙 1.8 马 1.5 朱 1.5 胡 1.4 郭 1.4 高 1.3 曾 1.5 彭 1.3 叶 1.2 苏 1.5 卢 1.5 潘 1.6 "
    "杜 0.8 沈 1 郑 1.2 冯 1 程 0.8 曹 0.8 袁 0.8 许 1 傅 0.5 宋 1 董 0.8 萧 0.3 于 0.6 余 0.8 方 0.7 石 0.7 姚 0.6 "
    "谭 1 廖 1.2 邹 0.7 熊 0.5 金 0.4 江 0.8 史 0.4 顾 0.5 侯 0.4 邵 0.4 孟 0.4 龙 0.8 万 0.4 段 0.4 雷 0.6 钱 0.4 汤 0.5 "
    "尹 0.4 黎 1.3 易 0.4 常 0.3 武 0.3 乔 0.3 贺 0.4 赖 0.7 龚 0.5 文 0.5 宁 0.5 甘 0.5 施 0.4 洪 0.4 温 0.4 秦 0.6 "
    "欧阳 0.4 司徒 0.1 上官 0.05 任 0.5 单 0.1 解 0.05 翟 0.1 区 0.15 庞 0.4 柳 0.3 俞 0.2 柯 0.2 安 0.1 "
    "向 0.4 邱 0.5 车 0.1 银 0.1 岑 0.2 凌 0.3 阮 0.2 詹 0.3 毛 0.3 白 0.3 田 0.4 范 0.5 康 0.3 严 0.3 崔 0.3 薛 0.3"
)

# Given names by sex and years of birth: whole names in fashion, then characters that combine.
OLDER = 1964
MIDDLE = 1979
YOUNGER = 1989

WHOLE = {
    (
        "m",
        0,
    ): "建国 国栋 志强 德华 永福 振华 国强 保华 世荣 广生 金水 伯年 炳坤 崇德 家福 庆余 茂林 兆祥 国庆 援朝 建华 解放 "
    "耀祖 光荣 树人 汉文 长青 景山 国梁 立德",
    (
        "f",
        0,
    ): "秀英 桂兰 玉兰 淑珍 凤英 月娥 素芬 美珍 惠兰 玉梅 翠萍 秀兰 桂芳 玉珍 爱莲 瑞芳 金凤 雪珍 淑华 丽珍 慧英 秋菊 "
    "兰芳 素琴 佩玲 婉贞 静娴 玉清",
    (
        "m",
        1,
    ): "志强 建军 海涛 伟明 国华 文涛 志勇 永强 晓东 建平 立新 卫东 少华 俊杰 振宇 家明 宏伟 春生 学军 新民 锦辉 东升 "
    "启明 承业 景文 世杰 海波 伟雄 振东 志远 泽民 光辉",
    (
        "f",
        1,
    ): "丽娟 雅琴 美玲 晓燕 海燕 丽华 秀丽 红梅 艳芳 玉琼 春梅 小玲 惠敏 丽萍 彩霞 淑敏 文静 金花 雪梅 巧云 慧敏 冬梅 "
    "少芬 碧云 燕玲 月明 琼英 蕴秋",
    (
        "m",
        2,
    ): "俊杰 伟 磊 超 鹏 浩 志豪 晓峰 家豪 宇航 文博 嘉树 一帆 明远 鸣远 承泽 子安 海洋 建波 天佑 逸凡 绍辉 宏图 立群 "
    "景行 泽宇 浩然 志鹏 伟杰 文杰 柏林 晨光",
    (
        "f",
        2,
    ): "晓雯 婷婷 静怡 雅婷 佳音 雨桐 欣怡 晓芸 丽娜 若琳 梦瑶 佩玲 文静 思敏 颖 燕 倩 莉莉 海棠 晓岚 婉婷 书怡 慧 "
    "静文 筱雨 雪莹 秋月 映雪",
    ("m", 3): "子墨 子轩 梓豪 浩宇 宇轩 承宇 俊熙 睿 博文 嘉懿 奕辰 皓轩 天宇 子睿 家乐 泽楷 思源 书豪",
    ("f", 3): "若溪 梓涵 诗涵 雨欣 思琪 可欣 语桐 欣妍 子萱 佳怡 梦洁 芷晴 依诺 雅静 晓彤 舒窈 乐瑶 安琪",
}
FIRST = {
    ("m", 0): "国建德永振世广金伯庆茂光树汉长景立家元仁宗启善福",
    ("f", 0): "秀桂玉淑凤月素美惠翠爱瑞金雪丽慧兰佩婉静",
    ("m", 1): "志建海伟国文永晓立卫少俊振家宏春学新锦东启承世",
    ("f", 1): "丽雅美晓海秀红艳玉春小惠彩淑文雪巧慧冬少碧燕",
    ("m", 2): "俊伟志晓家宇文嘉一明承子海建天逸绍宏立景泽浩柏",
    ("f", 2): "晓婷静雅佳雨欣丽若梦佩文思颖海婉书慧筱雪秋映",
    ("m", 3): "子梓浩宇承俊睿博嘉奕皓天家泽思书",
    ("f", 3): "若梓诗雨思可语欣子佳梦芷依雅晓舒",
}
SECOND = {
    "m": "强华明军平辉林峰涛杰斌勇生东民文波荣祥宇豪远成海龙伟光庆良昌",
    "f": "英兰芳珍梅琴萍霞娟玲敏燕华云琼莲芬怡婷雯慧洁莹月琳颖红",
}


class Names:
    """Draws names; built once, as its tables are arrays."""

    def __init__(self):
        parts = SURNAMES.split()
        self.surnames = np.array(parts[0::2], dtype=object)
        weights = np.array(parts[1::2], float)
        self.chances = weights / weights.sum()
        self.whole = {key: np.array(text.split(), dtype=object) for key, text in WHOLE.items()}
        self.first = {key: np.array(list(text), dtype=object) for key, text in FIRST.items()}
        self.second = {sex: np.array(list(text), dtype=object) for sex, text in SECOND.items()}

    def draw(self, rng, is_female, born) -> np.ndarray:
        """Return (n,) names for people of these sexes (bool) and years of birth."""
        surname = rng.choice(self.surnames, len(born), p=self.chances)
        given = np.empty(len(born), dtype=object)
        age = np.searchsorted([OLDER, MIDDLE, YOUNGER], born, side="left")
        for sex, female in (("m", False), ("f", True)):
            for era in range(4):
                where = np.nonzero((is_female == female) & (age == era))[0]
                given[where] = self.given(rng, sex, era, len(where))
        return surname + given

    def given(self, rng, sex: str, era: int, n: int) -> np.ndarray:
        whole = rng.choice(self.whole[sex, era], n)
        first, second = rng.choice(self.first[sex, era], n), rng.choice(self.second[sex], n)
        made = np.where(first == second, second, first + second)
        return np.where(rng.random(n) < 0.55, whole, made)
