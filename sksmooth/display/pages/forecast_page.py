"""The page of a forecast, and the section of one on other pages."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..._lib.html import Html, OfNumbers, element, number, table, visible
from ...estimators.forecasts.result import ErrorForecast
from ..plots import ErrorForecastDisplay
from .page import make_page, section
from .pictures import picture

__all__ = ["forecast_page", "forecast_section"]

_MOST_CLASSES = 50
_LONGEST_NAME = 60


def forecast_page(forecast: ErrorForecast, title: str) -> str:
    """Render a forecast as one HTML page."""
    sections = [forecast_section(forecast, "More samples")]
    sections.append(section("All numbers", _numbers(forecast.to_frame())))
    if forecast.classes is not None:
        sections.append(section("Class by class", _classes(forecast)))
    name = visible(forecast.estimator, _LONGEST_NAME)
    subtitle = f"{forecast.n_samples:,} samples, {name}"
    return make_page(title, subtitle, sections)


def forecast_section(forecast: ErrorForecast, heading: str) -> Html:
    """Say what more samples bring, with a picture."""
    last = forecast.to_frame().iloc[-1]
    alt = (
        f"{forecast.unit} by the number of training samples: {number(forecast.error)} "
        f"with {forecast.n_samples:,}, and {number(last['error'])} expected with "
        f"{last['n_samples']:,}."
    )
    caption = (
        "Points are measured, with the rest of the samples held out. The line is the "
        "forecast, in its intervals; the dotted one is the floor, which no number of "
        "samples gets below, with its interval at the right edge. The vertical line stands "
        f"at the {forecast.n_samples:,} samples at hand."
    )

    def draw(axes: Any) -> None:
        ErrorForecastDisplay.from_forecast(forecast, ax=axes)

    texts = [element("p", element("b", visible(forecast.sentence)))]
    if forecast.caution:
        texts.append(element("p", element("b", "Caution: "), forecast.caution))
    return section(heading, *texts, picture(draw, (6.4, 4), alt, caption))


def _numbers(frame: pd.DataFrame) -> Html:
    heads = ["", *map(OfNumbers, ("samples", "error", "low", "high"))]
    rows = [
        [
            "forecast" if row["is_forecast"] else "measured",
            f"{row['n_samples']:,}",
            *(number(row[name], 4) for name in ("error", "low", "high")),
        ]
        for row in frame.to_dict("records")
    ]
    return table(heads, rows, "Errors with their intervals")


def _classes(forecast: ErrorForecast) -> Html:
    frame = forecast.per_class
    names = ("samples", "error", "forecast", "low", "high", "gain")
    rows = [
        [
            visible(row["class"], _LONGEST_NAME),
            f"{row['n_samples']:,}",
            *(number(row[name], 4) for name in names[1:]),
        ]
        for row in frame.iloc[:_MOST_CLASSES].to_dict("records")
    ]
    caption = (
        "Error of each class, that with ten times the samples, and by how much this lowers "
        "the error of all"
    )
    if len(rows) < len(frame):
        caption += f"; the first {len(rows)} of {len(frame)}"
    return table(["class", *map(OfNumbers, names)], rows, caption)
