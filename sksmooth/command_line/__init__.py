"""The command line: ``sksmooth`` or ``python -m sksmooth``, and its commands.

Results go to standard output; progress and errors go to standard error. Exit codes: 0 for
success, 2 for an error that the user can fix (a one-line message says how), 130 for an
interruption. Anything else is a bug and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._lib.messages import tell
from .arguments import make_parser
from .compare import run_compare
from .demo import run_demo
from .errors import CommandError, one_line
from .measure import run_measure
from .output import check_output
from .report import run_report

__all__ = ["main"]

_COMMANDS = {
    "demo": run_demo,
    "measure": run_measure,
    "compare": run_compare,
    "report": run_report,
}
_USER_ERROR = 2
_INTERRUPTED, _PIPE_CLOSED = 130, 141  # 128 + the signal, as shells report it


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, by default the arguments of the process, and return its exit code."""
    try:
        check_output()
        parser = make_parser()
        options = parser.parse_args(argv)
        if options.command is None:
            parser.print_help()
        else:
            _COMMANDS[options.command](options)
    except BrokenPipeError:
        return _PIPE_CLOSED
    except (CommandError, ImportError) as error:  # an optional library is missing
        tell(f"sksmooth: error: {one_line(error)}")
        return _USER_ERROR
    except KeyboardInterrupt:
        tell("\nsksmooth: interrupted")
        return _INTERRUPTED
    return 0
