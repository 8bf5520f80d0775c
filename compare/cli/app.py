"""The command line: one function a command. Only what the help needs is imported at the top."""

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from compare.cli.build import SETTINGS, command
from compare.options import OPTIONS
from compare.processes import signals
from compare.reporting.opening import opening
from shared.errors import InputError, UserCodeError
from shared.storage import mounts
from shared.storage.stores import StoreError

MOST_SHOWN = 3_000  # characters of a message
NAME = "python -m compare"
# Errors that a user's files and folders can cause anywhere: no permission, or out of reach.
OF_A_PATH = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE, errno.EIO)

# Words that people try, and the options that they may mean: the first that a command has.
MEANT_OPTIONS: dict[str, tuple[str, ...]] = {
    "gpu": ("--device cuda",),
    "cuda": ("--device cuda",),
    "cpu": ("--device cpu",),
    "lr": ("--learning-rate",),
    "wd": ("--weight-decay",),
    "bs": ("--batch-size", "--batch-sizes"),
    "opt": ("--optimizer",),
    "scheduler": ("--schedule",),
    "arch": ("--model",),
    "network": ("--model",),
    "data": ("--dataset",),
    "output": ("--out",),
    "o": ("--out",),
    "framework": ("--implementations", "--implementation"),
    "frameworks": ("--implementations", "--implementation"),
    "backend": ("--implementations", "--implementation"),
    "workers": ("--world-size",),
    "amp": ("--mixed-precision bfloat16",),
    "fp16": ("--mixed-precision bfloat16",),
    "bf16": ("--mixed-precision bfloat16",),
    "compile": ("--mode graph", "--modes graph"),
    "jit": ("--mode xla", "--modes xla"),
    "image": ("--predict",),
}


def _version(context: click.Context, _: click.Parameter, show: bool) -> None:
    if show:
        from compare.folders.manifest import code_version

        print(code_version())
        context.exit()


class InOrder(click.Group):
    """A group whose help lists the commands in their order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


app = InOrder(
    help="Settle whether PyTorch and TensorFlow models are the same function, which is faster, and why they differ. "
    "Without a command: train one small CNN in PyTorch, Keras and raw TensorFlow, and write a table and a report.",
    epilog="Options without a command belong to 'run': 'python -m compare --epochs 3' is 'python -m compare run "
    "--epochs 3'. Exit codes: 0 done; 1 a run failed; 2 bad input or usage; 130 interrupted.",
    commands={name: command(name, of) for name, of in OPTIONS.items()},
    params=[
        click.Option(["--version"], is_flag=True, is_eager=True, callback=_version, help="Show the version and exit.")
    ],
    context_settings=SETTINGS,
)


def carry_out(arguments: Sequence[str]) -> None:
    """Carry out the command line. Raises SystemExit with the exit code."""
    try:
        with app.make_context(NAME, list(arguments)) as context:
            app.invoke(context)
    except click.exceptions.Exit as ended:
        raise SystemExit(ended.exit_code) from None
    except click.ClickException as error:  # an invalid command line
        opening.cancel()
        (_by_meaning(error) or error).show()
        raise SystemExit(error.exit_code) from None


def _by_meaning(error: click.ClickException) -> click.ClickException | None:
    """Return a hint for an unknown option whose meaning is known; None if there is none. Click compares spelling."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    there = {name for one in error.ctx.command.params for name in one.opts}
    for meant in MEANT_OPTIONS.get(error.option_name.strip("-").replace("_", "-"), ()):
        if meant.split()[0] in there:
            return click.UsageError(f"No such option '{error.option_name}'. Did you mean '{meant}'?", error.ctx)
    return None


@contextmanager
def report_input_errors() -> Iterator[None]:
    """Turn errors that the user can fix, and an interrupt, into a line on standard error and an exit code."""
    try:
        yield
    except InputError as error:
        opening.cancel()
        lines = error.lines if isinstance(error, UserCodeError) else ()
        message = error.message if isinstance(error, UserCodeError) else error
        print(f"compare: {_printable(mounts.with_addresses(message))}", file=sys.stderr)
        for line in lines:  # each is marked, to distinguish it from our messages
            print(f"  | {_printable(line)}", file=sys.stderr)
        raise SystemExit(2) from None
    except StoreError as error:
        what = _printable(mounts.with_addresses(error.strerror))
        print(f"compare: The store failed: {what}. Try again, or give a folder.", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:  # the reader of the output has closed it
        _say_no_more()
        raise SystemExit(1) from None
    except OSError as error:
        raise SystemExit(_code_of(error)) from None
    except MemoryError:
        print("compare: There is not enough memory. Close other programs, or lift the limit.", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:  # a command with something to keep has handled it itself
        print("compare: interrupted.", file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        if signals.was_interrupted():  # an interrupted import fails in its own way
            print("compare: interrupted.", file=sys.stderr)
            raise SystemExit(130) from None
        from compare.folders.output import WriteError

        if not isinstance(error, WriteError):
            raise
        print(
            f"compare: {_printable(mounts.with_addresses(error))}. Make room, or give another folder.", file=sys.stderr
        )
        raise SystemExit(1) from None
    finally:
        opening.cancel()


def _code_of(error: OSError) -> int:
    """Print how to fix a system error, and return the exit code. Raise the error if it is ours."""
    if error.errno in OF_A_PATH and error.filename is not None:
        path = _printable(mounts.with_addresses(error.filename))
        advice = "Make it accessible, or give another path."
        print(f"compare: {path} cannot be used: {error.strerror}. {advice}", file=sys.stderr)
        return 2
    if error.errno not in (errno.ENOSPC, errno.EIO) or error.filename is not None:
        raise error
    _say_no_more()
    if error.errno == errno.ENOSPC:  # otherwise the terminal was closed
        print(f"compare: Standard output cannot be written to: {error.strerror}.", file=sys.stderr)
    return 1


def _printable(text: str) -> str:
    """Make text safe for a terminal: names from elsewhere may have any length, and may steer it."""
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return plain if len(plain) <= MOST_SHOWN else f"{plain[:MOST_SHOWN]} ..."


def _say_no_more() -> None:
    """Redirect standard output to nowhere, to keep it from failing again when it is closed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
