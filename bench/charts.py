"""Bar charts as SVG, readable by screen readers: a title, a description, every figure as text."""

from html import escape

from bench.results import TITLES, Comparison, figure

WIDTH, BAR, GAP, TOP, LABEL = 760, 22, 30, 56, 16


def bars(comparisons: list[Comparison]) -> list[tuple[str, float, bool]]:
    """The bars of a chart: each name once, with its value and whether it is certvakt's."""
    found: dict[str, tuple[float, bool]] = {}
    for one in comparisons:
        found.setdefault(one.what, (one.ours, True))
        if one.other is not None:
            is_ours = one.against.startswith(("certvakt", "quiet night"))
            found.setdefault(one.against, (one.other, is_ours))
    return [(name, value, is_ours) for name, (value, is_ours) in found.items()]


def chart(comparisons: list[Comparison]) -> str:
    """The chart of one scenario."""
    first = comparisons[0]
    shown = bars(comparisons)
    most = max(value for _, value, _ in shown) or 1
    height = TOP + len(shown) * (BAR + GAP)
    title = f"{first.id}: {TITLES[first.id]}"
    texts = [f"{name}: {figure(value, first.unit)}" for name, value, _ in shown]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img" aria-labelledby="title description" font-family="sans-serif"'
        ' font-size="14">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape("; ".join(texts))}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="16" font-weight="bold" fill="#1a1a1a">{escape(title)}</text>',
    ]
    for i, ((_, value, is_ours), text) in enumerate(zip(shown, texts, strict=True)):
        y = TOP + i * (BAR + GAP)
        width = max(2, (WIDTH - 32) * value / most)
        colour = "#0b5c73" if is_ours else "#8a8f94"
        lines.append(f'<text x="16" y="{y + LABEL - 4}" fill="#1a1a1a">{escape(text)}</text>')
        lines.append(
            f'<rect x="16" y="{y + LABEL}" width="{width:.1f}" height="{BAR}" rx="2" fill="{colour}"/>'
        )
    return "\n".join([*lines, "</svg>", ""])
