"""The report of a data set as an HTML file."""

from __future__ import annotations

import argparse

from .errors import require, user_error
from .fitting import fit_to_file
from .pictures import check_report_path

__all__ = ["run_report"]


def run_report(options: argparse.Namespace) -> None:
    """Measure a data file and write the report."""
    path = options.output
    check_report_path(path)
    require("matplotlib", extra="plot", purpose="the picture of the report")
    from ..display.pages import estimator_report, save_page

    measured = fit_to_file(options, verbose=0 if options.quiet else 1)
    data = measured.data
    with user_error(ValueError, prefix=str(data.path)):
        page = estimator_report(
            measured.estimator,
            None if options.brief else data.X,
            None if options.brief else data.y,
            measured.X_test,
            measured.y_test,
            title=f"Smoothness of {data.path.name}"
            if options.title is None
            else options.title,
            feature_names=data.feature_names,
            notes=[note["message"] for note in measured.notes],
        )
    with user_error(OSError, prefix=f"cannot write {path}"):
        save_page(page, path)
    print(f"Report written to {path}")
