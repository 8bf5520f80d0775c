"""`python -m compare`."""

import signal
import sys


def main() -> None:
    """Run the command line; options without a command belong to `run`."""
    from compare.cli import app, report_input_errors

    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["run", *arguments]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being asked to end is an interrupt too
    with report_input_errors():
        app(arguments, prog_name="python -m compare")


if __name__ == "__main__":
    main()
