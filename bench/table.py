"""The figures side by side, with the ratio of the largest size to the smallest; written between the marks of the page."""

import os
import platform
from datetime import date

BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->"


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


def page(old: str, results: dict, *, repeat: int) -> str:
    """Return docs/performance.md with other figures between its marks; what people wrote around them stays."""
    head, _begin, rest = old.partition(BEGIN)
    _figures, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"docs/performance.md lacks {BEGIN.strip()} … {END}")
    machine = f"{date.today()}, {os.cpu_count()} cores, {platform.machine()}, pages: median of {repeat}."
    return f"{head}{BEGIN}{machine}\n\n{table(results)}\n{END}{tail}"
