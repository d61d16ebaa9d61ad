"""What to draw on, of matplotlib, which is imported when something is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..._lib.html import visible

__all__ = ["new_axes", "new_figure", "plain"]


def new_axes(**options: Any) -> Any:
    """Axes of a new figure; the options are those of ``pyplot.subplots``."""
    with _naming_the_extra():
        import matplotlib.pyplot as plt
    return plt.subplots(**options)[1]


def new_figure(width: float, height: float) -> Any:
    """A figure that needs no display, unlike those of pyplot; sizes are in inches."""
    with _naming_the_extra():
        from matplotlib.figure import Figure
    return Figure(figsize=(width, height), layout="constrained")


def plain(text: Any) -> str:
    r"""Text that matplotlib draws as it is: of one line, and with no formulas in it.

    Examples
    --------
    >>> from sksmooth.plotting.axes import plain
    >>> print(plain("cost in $\n$"))
    cost in \$\n\$
    """
    return visible(text).replace("$", r"\$")


@contextmanager
def _naming_the_extra() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib, which is not installed; "
            'install it with: pip install "sksmooth[plot]"'
        ) from error
