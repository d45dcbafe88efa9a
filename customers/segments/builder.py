"""The rule as the page edits it: groups of conditions, two levels deep; to and from the rule that is kept."""

from dataclasses import dataclass, field

from customers.relative_dates import Relative
from customers.segments import kinds
from customers.segments.dimensions import ALL, BY_CODE, Theme
from customers.segments.rule import Condition, Not, Rule, Several

SPANS = (
    "last7", "last30", "last90", "last180", "last365", "over30", "over60", "over90", "over180", "over365",
    "next7", "next15", "next30", "next60", "next90", "week", "month", "quarter", "never",
)  # fmt: skip
"""The spans of days that the page offers."""


@dataclass
class Line:
    """One condition as the form holds it; `value` is a list of what was ticked or typed."""

    code: str = ""
    op: str = ""
    value: list[str] = field(default_factory=list)
    least: int = 1
    negated: bool = False

    @property
    def dimension(self):
        return BY_CODE.get(self.code)

    @property
    def shape(self) -> str:
        """Return which control the value has: choice, number, day, flag, tags; "" before a dimension is chosen."""
        names = {kinds.Choice: "choice", kinds.Day: "day", kinds.Flag: "flag", kinds.Tags: "tags"}
        return names.get(type(self.dimension.kind), "number") if self.dimension else ""

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """Return (code, label, ticked) of a choice."""
        return [(code, label, code in self.value) for code, label in self.dimension.kind.codes().items()]

    @property
    def ops(self) -> list[tuple[str, str, bool]]:
        return [(op, kinds.OPS[op], op == self.op) for op in self.dimension.kind.ops]

    @property
    def scale(self) -> list[tuple[int, str, bool]]:
        labels = getattr(self.dimension.kind, "scale", ())
        return [(number, label, number == self.least) for number, label in enumerate(labels, 1)]

    @property
    def spans(self) -> list[tuple[str, str]]:
        """Return the spans of days that are offered; one that the rule has besides is among them."""
        codes = [*SPANS] if not self.said or self.said in SPANS else [*SPANS, self.said]
        return [(code, Relative.read(code).words) for code in codes]

    @property
    def said(self) -> str:
        return self.value[0] if self.value else ""

    @property
    def is_complete(self) -> bool:
        return bool(self.dimension) and (self.shape == "flag" or any(self.value))

    def as_json(self) -> dict:
        """Return the condition; what was typed is checked where the rule is parsed."""
        op = self.op if self.op in self.dimension.kind.ops else self.dimension.kind.ops[0]
        match self.shape:
            case "flag":
                value = True
            case "choice":
                value = self.value
            case "tags":
                value = [
                    word.strip() for word in self.said.replace("，", ",").replace("、", ",").split(",") if word.strip()
                ]
            case _:
                value = self.said
        written = {"field": self.code, "op": op, "value": value}
        if self.shape == "choice" and self.least > 1 and self.scale:
            written["least"] = self.least
        return {"not": written} if self.negated else written


@dataclass
class Block:
    """A group of conditions."""

    lines: list[Line] = field(default_factory=lambda: [Line()])
    every: bool = True
    negated: bool = False


@dataclass
class Draft:
    """The whole rule on the page."""

    blocks: list[Block] = field(default_factory=lambda: [Block()])
    every: bool = True

    def as_json(self) -> dict | None:
        """Return the rule of what is complete; None while nothing is."""
        parts = []
        for block in self.blocks:
            lines = [line.as_json() for line in block.lines if line.is_complete]
            if lines:
                inner = {"all" if block.every else "any": lines}
                parts.append({"not": inner} if block.negated else inner)
        return {"all" if self.every else "any": parts} if parts else None

    @property
    def is_complete(self) -> bool:
        return all(line.is_complete for block in self.blocks for line in block.lines)


def read(data) -> Draft:
    """Return the draft that a form holds: `line` names every line as group-number, `do` a change of the shape."""
    blocks: dict[str, Block] = {}
    for key in data.getlist("line")[:60]:
        group = key.split("-")[0]
        if group not in blocks:
            every = data.get(f"mode-{group}") != "any"
            blocks[group] = Block([], every, data.get(f"not-{group}") == "1")
        least = data.get(f"least-{key}", "")
        blocks[group].lines.append(
            Line(
                code=data.get(f"field-{key}", "") if data.get(f"field-{key}", "") in BY_CODE else "",
                op=data.get(f"op-{key}", ""),
                value=[value.strip()[:200] for value in data.getlist(f"value-{key}")[:40] if value.strip()],
                least=int(least) if least in ("1", "2", "3") else 1,
                negated=data.get(f"not-{key}") == "1",
            )
        )
    found = Draft(list(blocks.values()) or [Block()], data.get("mode") != "any")
    _do(found, data.get("do", ""))
    return found


def _do(draft: Draft, asked: str) -> None:
    """Change the shape: add-group, add-0 (a line in a group), drop-0-1."""
    verb, _dash, place = asked.partition("-")
    if asked == "add-group" and len(draft.blocks) < 8:
        draft.blocks.append(Block())
    elif verb == "add" and place.isdecimal() and int(place) < len(draft.blocks):
        if len(draft.blocks[int(place)].lines) < 10:
            draft.blocks[int(place)].lines.append(Line())
    elif verb == "drop":
        group, _dash, line = place.partition("-")
        if group.isdecimal() and line.isdecimal() and int(group) < len(draft.blocks):
            block = draft.blocks[int(group)]
            if int(line) < len(block.lines):
                del block.lines[int(line)]
            if not block.lines:
                draft.blocks.remove(block)
    if not draft.blocks:
        draft.blocks.append(Block())


def draft_of(rule: Rule) -> Draft:
    """Return a kept rule as the page edits it."""
    if not isinstance(rule, Several):
        return Draft([_block(rule)])
    if all(isinstance(_bare(part), Condition) for part in rule.parts):
        return Draft([_block(rule)])
    return Draft([_block(part) for part in rule.parts], rule.every)


def _bare(rule: Rule) -> Rule:
    return rule.part if isinstance(rule, Not) else rule


def _block(rule: Rule) -> Block:
    inner = _bare(rule)
    if isinstance(inner, Several):
        return Block([_line(part) for part in inner.parts], inner.every, isinstance(rule, Not))
    return Block([_line(rule)])


def _line(rule: Rule) -> Line:
    condition = _bare(rule)
    if not isinstance(condition, Condition):
        return Line()  # deeper than the page goes; the page says so and keeps the rule from being saved over
    value = condition.value if isinstance(condition.value, list) else [str(condition.value)]
    if isinstance(condition.dimension.kind, kinds.Tags):
        value = ["、".join(value)]
    return Line(
        condition.dimension.code, condition.op, value, condition.least or 1, negated=isinstance(rule, Not)
    )  # fmt: skip


def themes() -> list[tuple[str, list]]:
    """Return [(theme, dimensions)] for choosing one."""
    return [(theme.label, [one for one in ALL if one.theme == theme]) for theme in Theme]
