"""``.. command-help:: measure`` shows what ``python -m sksmooth measure --help`` prints."""

import argparse
import os
from unittest import mock

from docutils import nodes
from docutils.parsers.rst import Directive

from sksmooth.command_line.arguments import make_parser


def help_of(command):
    """Format the help of a command at 80 columns, whatever the terminal of the build."""
    parser = make_parser()
    for action in parser._actions if command else ():
        if isinstance(action, argparse._SubParsersAction):
            parser = action.choices[command]
    with mock.patch.dict(os.environ, COLUMNS="80"):
        return parser.format_help()


class CommandHelp(Directive):
    """Insert the help of the package's command line, or of one of its commands."""

    optional_arguments = 1

    def run(self):
        """Return the help as a literal block."""
        text = help_of(*(self.arguments or [None]))
        return [nodes.literal_block(text, text, language="none")]


def setup(app):
    """Add the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
