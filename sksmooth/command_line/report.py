"""The report of a data set as an HTML file."""

from __future__ import annotations

import argparse

from ..display.plots.axes import require_matplotlib
from ..display.report import report
from .errors import user_error
from .fitting import fit_to_file
from .output import write
from .pictures import check_report_path

__all__ = ["run_report"]


def run_report(options: argparse.Namespace) -> None:
    """Measure a data file and write the report."""
    path = options.output
    check_report_path(path)
    require_matplotlib("The picture of the report")

    measured = fit_to_file(options, verbose=0 if options.quiet else 1)
    data = measured.data
    rows = {} if options.brief else {"X": data.X, "y": data.y}
    title = options.title
    with (
        user_error(OSError, prefix=f"cannot write {path}"),
        user_error(ValueError, prefix=str(data.path)),
    ):
        report(
            measured.estimator,
            path,
            **rows,
            X_test=measured.X_test,
            y_test=measured.y_test,
            title=f"Smoothness of {data.path.name}" if title is None else title,
            feature_names=data.feature_names,
            cautions=[note["message"] for note in measured.notes],
        )
    write(f"Report written to {path}")
