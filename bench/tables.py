"""Numbers as people read them, and tables that are Markdown and line up as plain text, too."""


def significant(value):
    """Three digits: 0.00123, 12.3, 1,230"""
    rounded = float(f"{value:.3g}")
    if rounded < 1:
        return f"{rounded:.3g}"
    return f"{rounded:,.{2 if rounded < 10 else 1 if rounded < 100 else 0}f}"


def duration(seconds):
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{significant(seconds / unit)} {name}"
    for unit, name in ((1, "s"), (1e-3, "ms")):
        if seconds >= unit:
            return f"{significant(seconds / unit)} {name}"
    return f"{significant(seconds / 1e-6)} µs"


def table(titles, rows, left=1):
    """`left` columns are text, the others numbers."""
    widths = [max(len(row[i]) for row in [titles, *rows]) for i in range(len(titles))]

    def line(cells):
        padded = (cell.ljust(width) if i < left else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(cells, widths)))
        return "| " + " | ".join(padded) + " |"

    rule = (("-" * (width + 2)) if i < left else "-" * (width + 1) + ":" for i, width in enumerate(widths))
    return "\n".join([line(titles), "|" + "|".join(rule) + "|", *map(line, rows)])


def share(part):
    """0.0234 as +2.3 %"""
    return f"{100 * part:+.1f} %"
