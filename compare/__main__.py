"""`python -m compare`."""

import os
import sys

if __name__ == "__main__" and sys.path and not sys.flags.safe_path:
    # `python -m` puts the current folder first: a user's own `shared` or `types.py` there would hide the real one.
    del sys.path[0]
    if "" in os.environ.get("PYTHONPATH", "-").split(os.pathsep):  # "$PYTHONPATH:folder" if it was not set
        there = {entry for entry in sys.path if os.path.exists(entry or ".")}  # noqa: PTH110 it imports nothing more
        sys.path[:] = [e for e in sys.path if e not in there or not os.path.samefile(e or ".", ".")]  # noqa: PTH121

import io
import resource
import warnings
from pathlib import Path
from typing import TextIO

from compare import own_packages
from compare.processes import signals

LEAST_ADDRESS_SPACE = 1 << 30  # with less, SciPy's OpenBLAS tries to allocate memory forever during its import
LAST_STANDARD = 2  # the number of standard error


def main() -> None:
    """Run the command line; options without a command belong to `run`."""
    _fill_standard_descriptors()
    own_packages.prefer()
    signals.listen()
    _settle()
    try:
        from compare.cli.app import carry_out, report_input_errors
        from compare.processes.signals import die_with_parent_if_asked
        from compare.reporting import listeners
        from shared.storage import temporary
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["run", *arguments]
    die_with_parent_if_asked()
    sys.stdout, sys.stderr = (stream or _nowhere() for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files need not be text
    listeners.make_patient()
    try:
        with report_input_errors():
            _check_surroundings()
            temporary.clear_abandoned()
            try:
                carry_out(arguments)
            finally:
                listeners.check()
    finally:
        _unmount()


def _fill_standard_descriptors() -> None:
    """Open those of the first three descriptors that were closed when this process started. Otherwise the next opened
    file gets such a number, and messages for standard error are written into a result."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= LAST_STANDARD:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _settle() -> None:
    """Remove settings of the user's environment that are meant for other programs and would change results here."""
    os.environ.pop("MPLBACKEND", None)  # pictures need no backend, and an invalid name stops Matplotlib
    if os.environ.pop("PYTHONWARNINGS", ""):  # warnings of libraries are for their developers, and are not errors
        warnings.resetwarnings()
        warnings.simplefilter("ignore")


def _unmount() -> None:
    """Unmount stores; files that a store refused are a failure, whatever else the command reported."""
    from shared.storage import mounts

    if complaints := mounts.unmount_all():
        print("compare: " + " ".join(complaints), file=sys.stderr)
        raise SystemExit(1)


def _nowhere() -> TextIO:
    """Return a replacement for a stream that the process which started this one has closed."""
    return Path(os.devnull).open("w")


def _check_surroundings() -> None:
    """Raise InputError if no command could work."""
    from shared.errors import InputError

    try:
        Path.cwd()
    except OSError as error:
        raise InputError(f"The current folder cannot be used: {error.strerror}. Go to another one.") from None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise InputError(
            f"This process may have {limit / 2**20:,.0f} MiB of memory (ulimit -v), and needs "
            f"{LEAST_ADDRESS_SPACE >> 20:,}; each framework needs about 6,000. Lift the limit."
        )


if __name__ == "__main__":
    main()
