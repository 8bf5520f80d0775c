"""`python -m compare`."""

import resource
import signal
import sys

LEAST_ADDRESS_SPACE = 1 << 30  # with less, SciPy's OpenBLAS tries for memory for ever while it is imported


def main() -> None:
    """Run the command line; options without a command belong to `run`."""
    from compare.cli import app, report_input_errors
    from compare.parent import die_with_parent_if_asked

    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["run", *arguments]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being asked to end is an interrupt too
    die_with_parent_if_asked()
    with report_input_errors():
        _check_limit()
        app(arguments, prog_name="python -m compare")


def _check_limit() -> None:
    from shared.errors import InputError

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise InputError(
            f"This process may have {limit / 2**20:,.0f} MiB of memory (ulimit -v), and needs "
            f"{LEAST_ADDRESS_SPACE >> 20:,}; each framework needs about 6,000. Lift the limit."
        )


if __name__ == "__main__":
    main()
