"""Compare many representations of the same samples, for programs or for people."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

import numpy as np
import pandas as pd

from .._lib.html import visible
from .._lib.text import WIDTH, plain_number, plain_p_value, with_ends
from .._version import __version__
from ..display.plots import RepresentationSmoothnessDisplay
from ..display.plots.axes import new_figure, require_matplotlib
from ..display.plots.representation_smoothness import size_of_picture
from ..display.report import report
from ..estimators.representations.comparison import compare_representations
from ..estimators.representations.table import RepresentationComparison, in_words
from .errors import CommandError, user_error, with_options
from .fitting import estimator_of, noted, notes_of
from .output import write, write_json
from .pictures import check_picture_path, check_report_path, save_picture
from .representation_files import RepresentationData, read_representations

__all__ = ["run_compare"]

_TIED = "="  # marks those tied with the best


def run_compare(options: argparse.Namespace) -> None:
    """Print the table and, if asked, write the picture and the report."""
    for name, path, check in (
        ("--plot", options.plot, check_picture_path),
        ("--report", options.report, check_report_path),
    ):
        if path is not None:
            check(path)
            require_matplotlib(name)
    verbose = 0 if options.quiet or options.json else 1
    with noted() as caught:
        data = read_representations(options)
        table = _compared(data, options, verbose).ranked()
    notes = notes_of(caught, is_told=options.task != "auto")
    if options.plot is not None:
        save_picture(_picture(table), options.plot)
    if options.report is not None:
        with user_error(OSError, prefix=f"cannot write {options.report}"):
            report(table, options.report, title=f"Representations for {data.what}")
    if options.json:
        write_json(_results(data, table, options) | {"warnings": notes})
    else:
        write(_readable(table, options, notes))


def _compared(
    data: RepresentationData, options: argparse.Namespace, verbose: int
) -> RepresentationComparison:
    targets = data.targets
    y: Any = targets if len(targets) > 1 else next(iter(targets.values()))
    estimator = estimator_of(options).set_params(random_state=None, n_jobs=None)
    try:
        return compare_representations(
            data.representations,
            y=y,
            estimator=estimator,
            baseline=options.baseline,
            cv=options.cv,
            groups=data.groups,
            n_jobs=options.n_jobs,
            random_state=options.random_state,
            verbose=verbose,
        )
    except (ValueError, TypeError) as error:
        raise CommandError(f"{data.origin}: {with_options(str(error))}") from error


def _picture(table: RepresentationComparison) -> Any:
    axes = new_figure(*size_of_picture(table.frame)).subplots()
    return RepresentationSmoothnessDisplay.from_comparison(table, ax=axes).figure_


def _results(
    data: RepresentationData, table: RepresentationComparison, options: argparse.Namespace
) -> dict[str, Any]:
    """Collect all results, in plain Python types."""
    several = "target" in table
    summary = table.summary().reset_index().to_dict("records") if several else None
    return {
        "files": {name: str(path) for name, path in data.files.items()},
        "labels_file": data.labels_path and str(data.labels_path),
        "n_samples": data.n_samples,
        "targets": {name: _task_of(y) for name, y in data.targets.items()},
        "baseline": options.baseline,
        "representations": table.frame.to_dict("records"),
        "best": None if several else table.best_,
        "tied_with_best": None if several else table.tied_,
        "summary": summary,
        "in_words": in_words(table.frame),
        "plot": options.plot and str(options.plot),
        "report": options.report and str(options.report),
        "version": __version__,
    }


def _task_of(y: np.ndarray) -> str:
    return "regression" if y.dtype.kind == "f" else "classification"


# ---------------------------------------------------------------------- for people


def _readable(
    table: RepresentationComparison,
    options: argparse.Namespace,
    notes: list[dict[str, str]],
) -> str:
    """Format the tables of all targets, best first, with a summary in words."""
    frame = table.frame
    parts = [("", frame)]
    if "target" in frame:
        parts = [
            (f"target {visible(name, WIDTH)}", part.drop(columns="target"))
            for name, part in frame.groupby("target", sort=False)
        ]
    lines: list[str] = []
    for heading, part in parts:
        words = [line for text in in_words(part) for line in _wrapped(text)]
        lines += [*filter(None, [heading]), *_table_lines(part), "", *words, ""]
    if "target" in frame:
        of_all = in_words(frame)[-1:]
        words = [line for text in of_all for line in _wrapped(text)]
        lines += [*_summary_lines(table.summary()), "", *words, ""]
    if any(line.endswith(_TIED) for line in lines):
        lines.append(f"{_TIED} tied with the best")
    for path, what in ((options.plot, "picture"), (options.report, "report")):
        if path is not None:
            lines.append(f"{what} {path}")
    return "\n".join([*lines, *(f"{n['category']}: {n['message']}" for n in notes)])


def _table_lines(frame: pd.DataFrame) -> list[str]:
    rows = frame.to_dict("records")
    columns = {
        "features": [f"{row['n_features']:,}" for row in rows],
        "explained": [plain_number(row["explained"], 2) for row in rows],
        "alpha": [plain_number(row["alpha"], 2) for row in rows],
        "roughness": [plain_number(row["roughness"], 2) for row in rows],
        "held-out [interval]": [_with_interval(row, "held_out") for row in rows],
        "to best": [_to_best(row, is_best=k == 0) for k, row in enumerate(rows)],
    }
    names = [str(name) for name in frame["representation"]]
    lines = _aligned("representation", names, columns)
    if "baseline_p_value" in frame:
        compared = frame[frame["baseline_p_value"].notna()].to_dict("records")
        columns = {
            "difference [interval]": [
                _with_interval(row, "difference_to_baseline", sign="+") for row in compared
            ],
            "p-value": [plain_p_value(row["baseline_p_value"]) for row in compared],
        }
        names = [str(row["representation"]) for row in compared]
        lines += ["", *_aligned("to the baseline", names, columns)]
    return [*lines, *_cautions(frame)]


def _cautions(frame: pd.DataFrame) -> list[str]:
    """List the representations whose index should be read with care, and why."""
    names: dict[str, list[str]] = {}
    for name, cautions in frame[["representation", "cautions"]].to_numpy():
        for caution in filter(None, cautions.split(", ")):
            names.setdefault(caution, []).append(visible(name, WIDTH))
    return [
        line
        for caution, named in names.items()
        for line in _wrapped(f"{caution}: alpha of {', '.join(named)}")
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _with_interval(row: dict[Any, Any], name: str, sign: str = "") -> str:
    return with_ends(row[name], [row[f"{name}_low"], row[f"{name}_high"]], 3, sign)


def _to_best(row: dict[Any, Any], *, is_best: bool) -> str:
    if is_best:
        return "best  "
    mark = _TIED if row["tied_with_best"] else " "
    return f"{plain_number(row['difference_to_best'], 3)} {mark}"


def _summary_lines(summary: pd.DataFrame) -> list[str]:
    columns = {
        "mean rank": [f"{rank:.2f}" for rank in summary["mean_rank"]],
        "best": [f"{n:.0f}" for n in summary["n_best"]],
        "tied with the best": [f"{n:.0f}" for n in summary["n_tied_with_best"]],
    }
    return _aligned("over all targets", [str(name) for name in summary.index], columns)


def _aligned(head: str, names: list[str], columns: dict[str, list[str]]) -> list[str]:
    """Align columns of text; names that would make lines too long get their own line."""
    widths = {name: max(map(len, [name, *cells])) for name, cells in columns.items()}
    left = WIDTH - sum(width + 1 for width in widths.values())
    names = [visible(name, WIDTH - 2) for name in names]
    width = min(max(map(len, [head, *names])), max(left, len(head)))

    def line(first: str, cells: list[str]) -> str:
        texts = (
            f" {cell:>{widths[name]}}" for name, cell in zip(columns, cells, strict=True)
        )
        return f"{first:<{width}}{''.join(texts)}".rstrip()

    lines = [line(head, list(columns))]
    for name, *cells in zip(names, *columns.values(), strict=True):
        if len(name) > width:
            lines.append(name)
            name = ""
        lines.append(line(name, cells))
    return lines
