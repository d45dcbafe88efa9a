"""The back-test as text for the terminal."""

COLUMNS = (
    ("PR-AUC", "pr_auc", "{:.3f}"),
    ("ROC-AUC", "roc_auc", "{:.3f}"),
    ("Lift 10%", "lift", "{:.2f}"),
    ("Capture", "capture", "{:.1%}"),
    ("by money", "capture_money", "{:.1%}"),
    ("Top 5%", "capture_5", "{:.1%}"),
    ("by money", "capture_money_5", "{:.1%}"),
    ("Brier", "brier", "{:.4f}"),
    ("ECE", "ece", "{:.4f}"),
    ("Rows", "rows", "{:,}"),
    ("Customers", "customers", "{:,}"),
    ("Left", "losses", "{:,}"),
)
WITH_INTERVAL = ("pr_auc", "roc_auc", "lift", "ece")


ORDER = ("logistic", "trees", "long", "forest", "blend", "scorecard", "rule")


def in_order(candidates: dict) -> list[str]:
    """Return the candidates' names, the simplest model first: a JSON column keeps no order."""
    return sorted(candidates, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def candidates_table(candidates: dict) -> str:
    """Return one line a candidate with its figures, and its 95 % intervals beneath."""
    lines = [f"{'':<10}" + "".join(f"{head:>11}" for head, _key, _form in COLUMNS)]
    for name in in_order(candidates):
        figures = candidates[name]
        lines.append(f"{name:<10}" + "".join(f"{_written(figures, key, form):>11}" for _head, key, form in COLUMNS))
        intervals = figures.get("intervals", {})
        shown = [f"{key} {low:.3f}–{high:.3f}" for key, (low, high) in intervals.items() if key in WITH_INTERVAL]
        if shown:
            lines.append(f"{'':<10}  95 %: {', '.join(shown)}")
    return "\n".join(lines)


def figures_table(backtest: dict) -> str:
    """Return the back-test of a version: candidates, folds, calibration."""
    training = backtest["training"]
    lines = [
        f"Trained on {training['rows']:,} customer-months of {training['customers']:,} customers, "
        f"{training['losses']:,} left ({training['vip_losses']:,} of {training['vip_rows']:,} VIP rows).",
        candidates_table(backtest["candidates"]),
        f"Best by PR-AUC: {backtest['chosen']}.",
    ]
    lines += [
        f"Fold: trained to {fold['train_to']}, tested {fold['test_from']} to {fold['test_to']}: "
        + ", ".join(
            f"{name} AUC {_written(fold[name], 'roc_auc', '{:.3f}')}" for name in in_order(backtest["candidates"])
        )
        + f" ({fold['losses']:,} of {fold['rows']:,} left)"
        for fold in backtest["folds"]
    ]
    lines += [
        f"Said {part['predicted']:.0%}, left {part['actual']:.0%} of {part['rows']:,}"
        for part in backtest["calibration"]
    ]
    return "\n".join(lines)


def _written(figures: dict, key: str, form: str) -> str:
    value = figures.get(key)
    return "—" if value is None else form.format(value)
