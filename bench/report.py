"""The output of the benchmark: a table on the terminal, results.json, charts and performance.md."""

import json
import re
import shutil
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from bench.charts import chart
from bench.results import TITLES, Comparison, row

HEADINGS = ("", "What", "Median", "Against", "Median", "Ratio", "Goal", "Met")
COMMENTARY = Path(__file__).with_name("commentary.md")


def terminal_table(comparisons: list[Comparison]) -> str:
    """A table that fits the terminal, with two wrapped columns of names."""
    rows = [HEADINGS, *map(row, comparisons)]
    widths = [max(len(line[i]) for line in rows) for i in range(len(HEADINGS))]
    total = shutil.get_terminal_size((110, 0)).columns
    spare = total - sum(widths) - 2 * (len(widths) - 1) + widths[1] + widths[3]
    if spare < widths[1] + widths[3]:
        widths[1] = min(widths[1], max(14, spare // 2))
        widths[3] = max(14, spare - widths[1])
    lines = []
    for number, cells in enumerate(rows):
        wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, widths, strict=True)]
        for i in range(max(map(len, wrapped))):
            parts = [cell[i] if i < len(cell) else "" for cell in wrapped]
            lines.append(
                "  ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()
            )
        if number == 0:
            lines.append("─" * min(total, sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(lines)


def markdown_table(headings, rows) -> str:
    def line(cells) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(headings), line(["---"] * len(headings)), *map(line, rows)])


def commentary() -> dict[str, str]:
    """The hand-written text about each scenario: the text below its heading in commentary.md, and the
    introduction above the first heading."""
    if not COMMENTARY.exists():
        return {}
    parts = re.split(r"^## (\S+).*\n", COMMENTARY.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {"": parts[0].strip()} | {
        id_: text.strip() for id_, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def markdown(
    comparisons: list[Comparison], details: dict[str, str], facts: dict, settings: dict, scale: str
) -> str:
    """performance.md."""
    written = commentary()
    parts = [
        "# Performance",
        written.get("", ""),
        scale,
        markdown_table(HEADINGS, map(row, comparisons)),
    ]
    for id_, group in charted(comparisons):
        title = TITLES[id_]
        parts += [
            f"## {id_}: {title}",
            written.get(id_, ""),
            f"![{title}]({id_}.svg)",
            every_round(group),
            details.get(id_, ""),
        ]
    parts += [
        "## Where it was measured",
        markdown_table(("", ""), facts.items()),
        "PostgreSQL's settings, those that are not its own defaults among them:",
        markdown_table(("Setting", "Value"), settings.items()),
        "## Repeat it",
        "`make bench`, with Node and a Rust toolchain. It leaves this page, the charts and every round in"
        " `target/bench/`.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def charted(comparisons: list[Comparison]) -> Iterator[tuple[str, list[Comparison]]]:
    """The comparisons of each scenario that have the unit of its first. The others are single counts."""
    for id_, group in groupby(comparisons, key=lambda one: one.id):
        first, *others = group
        yield id_, [first, *(one for one in others if one.unit == first.unit)]


def every_round(comparisons: list[Comparison]) -> str:
    """The measurements of each round."""
    lines = {}
    for one in comparisons:
        names = {"ours": one.what, "other": one.against}
        for side, values in one.rounds.items():
            digits = 0 if one.unit in ("1/s", "rows", "statements") else 1 if one.unit == "MiB" else 3
            lines[names[side]] = ", ".join(f"{value:,.{digits}f}" for value in values)
    return markdown_table(("Every round", comparisons[0].unit), lines.items())


def write(folder: Path, comparisons: list[Comparison], text: str) -> None:
    """Writes all output to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    results = json.dumps([one.as_dict() for one in comparisons], indent=2, ensure_ascii=False)
    (folder / "results.json").write_text(results + "\n", encoding="utf-8")
    for id_, group in charted(comparisons):
        (folder / f"{id_}.svg").write_text(chart(group), encoding="utf-8")
    (folder / "performance.md").write_text(text, encoding="utf-8")
