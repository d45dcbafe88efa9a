"""The figures side by side, with the ratio of the largest size to the smallest."""

import os
import platform
from datetime import date

HEAD = """# Performance

Measured by `make bench ARGS=--write` on {day} ({cores} cores, {machine}), each size in a fresh database of the embedded
PostgreSQL, written by `manage.py demo`. Pages: server time of the whole answer through Django's test client, signed
in, warm, median of {repeat}; `queries` is their number, which must not grow with data. Figures move by a factor of two
from hour to hour on a shared machine; the ratios say more.

"""
TAIL = """
The budgets (`design.md`): 40 ms at the median a page, 100 ms for Today, with a constant number of queries.
"""


def table(results: dict) -> str:
    """Return the figures of {size: {figure: value}} as a Markdown table."""
    sizes = list(results)
    ratio = len(sizes) > 1
    lines = ["| figure | " + " | ".join(f"{size:,}" for size in sizes) + (" | ratio |" if ratio else " |")]
    lines.append("|---|" + "---:|" * (len(sizes) + ratio))
    for figure in results[sizes[0]]:
        values = [results[size].get(figure) for size in sizes]
        cells = [figure, *(shown(value) for value in values)]
        if ratio:
            cells.append(f"{values[-1] / values[0]:.2f}" if values[0] and values[-1] is not None else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shown(value) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def page(results: dict, *, repeat: int) -> str:
    """Return docs/performance.md."""
    head = HEAD.format(day=date.today(), cores=os.cpu_count(), machine=platform.machine(), repeat=repeat)
    return head + table(results) + "\n" + TAIL
