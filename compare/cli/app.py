"""The command line: one function a command. Only what is needed to show the help is imported up here."""

import errno
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compare.processes import signals
from compare.processes.signals import GIVEN_COMMAND
from compare.reporting.opening import opening
from shared import mounts
from shared.errors import InputError
from shared.stores import StoreError, is_address

if TYPE_CHECKING:
    from compare.reporting.screen import Screen

MOST_SAID = 200  # of a path, which may be of any length
MOST_SHOWN = 3_000  # of a message

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="One small CNN in PyTorch, Keras and raw TensorFlow: train it in each, time it, tabulate it.",
    epilog="Options without a command belong to 'run': 'python -m compare --epochs 3' is 'python -m compare run "
    "--epochs 3'. Exit codes: 0 done; 1 a run failed; 2 bad input or usage; 130 interrupted.",
)


@contextmanager
def report_input_errors() -> Iterator[None]:
    """Turn what is the user's to mend, and an interrupt, into a line on standard error and an exit code."""
    try:
        yield
    except InputError as error:
        opening.cancel()
        print(f"compare: {_shown(mounts.shown(error))}", file=sys.stderr)
        raise SystemExit(2) from None
    except StoreError as error:
        print(
            f"compare: The store failed: {_shown(mounts.shown(error.strerror))}. Try again, or give a folder.",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except BrokenPipeError:  # whoever listened has heard enough
        _say_no_more()
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _say_no_more()
        print(f"compare: Standard output takes no more: {error.strerror}.", file=sys.stderr)
        raise SystemExit(1) from None
    except MemoryError:
        print("compare: There is not enough memory. Close other programs, or lift the limit.", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:  # a command that has something to keep has dealt with it itself
        print("compare: interrupted.", file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        if signals.heard():  # an import that was interrupted fails in its own way
            print("compare: interrupted.", file=sys.stderr)
            raise SystemExit(130) from None
        from compare.folders.output import WriteError

        if not isinstance(error, WriteError):
            raise
        print(f"compare: {_shown(mounts.shown(error))}. Make room, or give another folder.", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        opening.cancel()


def _shown(text: str) -> str:
    """What a terminal shows as it is: names from elsewhere may be of any length, and steer it."""
    plain = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return plain if len(plain) <= MOST_SHOWN else f"{plain[:MOST_SHOWN]} ..."


def _say_no_more() -> None:
    """Nor is standard output to fail again, when it is closed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(show: bool) -> None:
    if show:
        from compare.folders.manifest import code_version

        print(code_version())
        raise typer.Exit


@app.callback()
def compare(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What stands in front of every command."""


def _usable(given: Path | list[Path] | None) -> Path | list[Path] | None:
    """A path that can be looked at, there or not."""
    for path in given if isinstance(given, list) else [given] if given else []:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue  # whoever needs it says so
        except OSError as error:
            raise InputError(f"{str(path)[:MOST_SAID]} cannot be used: {error.strerror}. Give another path.") from None
    return given


def located(text: str) -> Path:
    """A folder, or a copy of one on a store: fetching that may take a while, before the command itself begins."""
    if is_address(text) and not {"-q", "--quiet"} & set(sys.argv):
        opening.announce(f"compare: fetching what {text} holds ...")
    return mounts.located(text)


DataDir = Annotated[
    Path | None,
    typer.Option(
        parser=mounts.located_data,
        callback=_usable,
        envvar="COMPARE_DATA_DIR",
        help="Folder of data sets in torchvision's layout.",
        show_default="cache",
    ),
]


AsJson = Annotated[
    bool, typer.Option("--json", help="Say what was found as JSON, and nothing else, on standard output.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors, and what --json asks for.")]


def _screen(as_json: bool, quiet: bool) -> "Screen":
    from compare.reporting.screen import Screen

    return Screen(as_json, quiet)


def _starting(screen: "Screen", doing: str) -> "Screen":
    """Say what is about to be done, before anything is imported that takes long."""
    screen.open(doing)
    return screen


def _command() -> str:
    """The command as it was given, which manifests keep."""
    return os.environ.pop(GIVEN_COMMAND, "") or shlex.join(["python", "-m", "compare", *sys.argv[1:]])


@app.command()
def run(
    context: typer.Context,
    resume: Annotated[
        Path | None,
        typer.Option(
            parser=located,
            callback=_usable,
            metavar="RUN_DIR",
            help="Go on with an interrupted study, with the options it was begun with.",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A named set of the options below: stretch (high accuracy on MNIST).")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Architecture; 'python -m compare models' lists them.", show_default="cnn_same"),
    ] = None,
    dataset: Annotated[
        str,
        typer.Option(
            help="auto (MNIST where it can be had, else digits), digits, photographs, mnist, fashion_mnist, cifar10 or "
            "FILE.npz."
        ),
    ] = "auto",
    data_dir: DataDir = None,
    implementations: Annotated[
        str,
        typer.Option(
            help="Which implementations, separated by commas; there is keras_functional too, for cnn_bn_cifar."
        ),
    ] = "torch,keras,tf_lowlevel",
    recipe: Annotated[
        str,
        typer.Option(help="matched (same weights, batches, optimizer) or idiomatic (each framework's own way)."),
    ] = "matched",
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data.", show_default="embedded data 20, others 3")
    ] = None,
    stop_at: Annotated[
        float | None,
        typer.Option(
            help="End after the first epoch whose training accuracy reaches this, as 0.98.", show_default="never"
        ),
    ] = None,
    batch_size: Annotated[
        str | None, typer.Option(help="Images in a batch; auto is 64 on CUDA, 16 on a CPU.", show_default="64")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam, or sgd with momentum 0.9.", show_default="adam")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default="adam 0.002, with --stop-at 0.001; sgd 0.01")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="Learning rate: linear (up over a tenth, then down to 0) or constant.", show_default="linear"
        ),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help="Training images: none, affine (turned, stretched, shifted) or elastic (bent, too).",
            show_default="none",
        ),
    ] = None,
    dropout: Annotated[float | None, typer.Option(help="Rate of dropout.", show_default="the architecture's")] = None,
    seed: Annotated[int, typer.Option(help="First seed: of the initial weights and of the order of the batches.")] = 0,
    seeds: Annotated[int, typer.Option(help="How many seeds, counted up from the first.")] = 1,
    margin: Annotated[float, typer.Option(help="Accuracies this near are equivalent: 0.003 is 0.3 points.")] = 0.003,
    target: Annotated[
        float | None, typer.Option(help="Tell the training time until this accuracy: 0.99 is 99 %.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Train on the first N images only.", show_default="all")] = None,
    validation: Annotated[
        int | None,
        typer.Option(help="Set N training images apart; the test set is then used once, at the end.", show_default="0"),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(help="Pixels: unit (divided by 255) or standard (mean 0, deviation 1).", show_default="unit"),
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            help="default (torch eager, TensorFlow graph), eager, graph or xla for all alike; tuned: each as it is "
            "fastest here."
        ),
    ] = "default",
    precision: Annotated[
        str, typer.Option(help="What is computed in: float32, or float64, in which they agree to 1e-12 at first.")
    ] = "float32",
    mixed_precision: Annotated[
        str,
        typer.Option(help="What factors of products are rounded to: none (float32), bfloat16, or on CUDA tf32."),
    ] = "none",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads of each framework.", show_default="cores")] = None,
    allocator: Annotated[
        str, typer.Option(help="kept (glibc keeps freed memory, for all alike) or system (as users have it).")
    ] = "kept",
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.located_new,
            callback=_usable,
            help="Output folder.",
            show_default="runs/<UTC time>-<model>-<dataset>",
        ),
    ] = None,
    parity: Annotated[
        bool, typer.Option("--parity", help="Prove over the first 20 steps that they are the same function, too.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's event files, too, to OUT/tensorboard.")
    ] = False,
    mlflow: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Log the study to this MLflow server, or folder; needs the extra mlflow."),
    ] = None,
    world_size: Annotated[
        int, typer.Option(metavar="N", help="N processes train each network, each on its share of every batch.")
    ] = 1,
    executor: Annotated[
        str, typer.Option(help="local, or ray: every run is a task on a Ray cluster; needs the extra ray.")
    ] = "local",
    address: Annotated[str, typer.Option(metavar="HOST:PORT", help="The Ray cluster; auto finds it.")] = "auto",
    timeout: Annotated[float, typer.Option(help="Give a worker up after so many seconds without an answer.")] = 300.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train each implementation, evaluate it, and write a table and a report."""
    screen = _screen(as_json, quiet)
    if resume is not None:
        _refuse_others(context, "--resume", {"resume", "data_dir", "timeout", "as_json", "quiet"})
        _starting(screen, f"going on with the study in {mounts.shown(resume)}")
    else:
        _starting(screen, f"a study of {model or 'cnn_same'} with {implementations}, data set {dataset}")

    from compare.commands.run import resume_command, run_command
    from compare.training.plan import Options
    from shared.data.choice import default_data_dir

    if resume is not None:
        raise typer.Exit(resume_command(resume, data_dir or default_data_dir(), timeout, screen))

    code = run_command(
        Options(
            preset=preset,
            model=model,
            dataset=dataset,
            data_dir=data_dir or default_data_dir(),
            implementations=implementations,
            recipe=recipe,
            epochs=epochs,
            stop_at=stop_at,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            augmentation=augment,
            dropout=dropout,
            seed=seed,
            seeds=seeds,
            margin=margin,
            target=target,
            limit=limit,
            validation=validation,
            scale=scale,
            mode=mode,
            precision=precision,
            mixed_precision=mixed_precision,
            device=device,
            threads=threads,
            allocator=allocator,
            out=out,
            timeout_s=timeout,
            parity=parity,
            tensorboard=tensorboard,
            mlflow=mlflow,
            executor=executor,
            address=address,
            world_size=world_size,
            command=_command(),
            screen=screen,
        )
    )
    raise typer.Exit(code)


@app.command()
def data(
    name: Annotated[
        str | None, typer.Argument(help="Data set to fetch and check: mnist, fashion_mnist or cifar10.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Fetch a data set; without a name, say which are at hand and whole."""
    _starting(_screen(False, False), f"looking at {name or 'all data sets'}")

    from compare.commands.data import data_command
    from shared.data.choice import default_data_dir

    raise typer.Exit(data_command(name, data_dir or default_data_dir()))


@app.command()
def doctor(data_dir: DataDir = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Say what is here: frameworks, devices, data sets, memory, disk; and what to do where something is not well."""
    screen = _starting(_screen(as_json, quiet), "looking at what is here")

    from compare.commands.doctor import doctor_command
    from shared.data.choice import default_data_dir

    raise typer.Exit(doctor_command(data_dir or default_data_dir(), screen))


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="Architecture whose layers are shown.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Ask each framework too: its own count of parameters and FLOPs.")
    ] = False,
) -> None:
    """Show the architectures; with a name, its layers, parameters and FLOPs."""
    from compare.commands.models import models_command

    raise typer.Exit(models_command(name, check))


@app.command()
def parity(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="Architectures, separated by commas, or all.")] = "cnn_same",
    dataset: Annotated[
        str,
        typer.Option(help="embedded (digits or photographs), mnist, fashion_mnist, cifar10 or FILE.npz."),
    ] = "embedded",
    data_dir: DataDir = None,
    implementations: Annotated[
        str | None,
        typer.Option(help="Which implementations, two or more.", show_default="all that have the network"),
    ] = None,
    precision: Annotated[str, typer.Option(help="both, float64 or float32.")] = "both",
    steps: Annotated[int, typer.Option(help="How many training steps are compared.")] = 100,
    draws: Annotated[int, typer.Option(help="Runs of each implementation from weights moved by 1 ulp.")] = 3,
    seed: Annotated[int, typer.Option(help="First seed: of the initial weights and of the order of the batches.")] = 0,
    seeds: Annotated[int, typer.Option(help="How many seeds, counted up.", show_default="1; for --waterfall 3")] = 1,
    batch_size: Annotated[int, typer.Option(help="Images in a batch.")] = 64,
    optimizer: Annotated[str, typer.Option(help="adam, or sgd with momentum 0.9.")] = "adam",
    rung: Annotated[
        str | None,
        typer.Option(help="Highest rung of the ladder: parameters, activations, ...", show_default="evaluation"),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    mode: Annotated[
        str, typer.Option(help="default (torch eager, TensorFlow graph), eager, graph or xla, for all alike.")
    ] = "default",
    world_size: Annotated[
        int, typer.Option(metavar="N", help="Compare each, too, as N processes on shares of every batch.")
    ] = 1,
    ledger: Annotated[bool, typer.Option("--ledger", help="The ledger of differences instead, row by row.")] = False,
    waterfall: Annotated[
        bool, typer.Option("--waterfall", help="From each framework's own recipe to the matched one, factor by factor.")
    ] = False,
    row: Annotated[str | None, typer.Option(help="Some rows of the ledger alone.", show_default="all")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.located_new,
            callback=_usable,
            help="Output folder; of the ledger a .md file.",
            show_default="runs/<UTC time>-parity",
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Give a worker up after so many seconds without an answer.")] = 300.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Prove that the implementations of an architecture are the same function, or name the one that is not."""
    screen = _screen(as_json, quiet)
    if ledger or row is not None:
        _refuse_others(context, "--ledger", {"ledger", "row", "out", "timeout", "as_json", "quiet"})
        if out is not None:
            mounts.here(mounts.shown(out))
        _starting(screen, f"the ledger of differences, {row or 'all rows'}")

        from compare.commands.ledger import ledger_command

        raise typer.Exit(ledger_command(row, out, timeout, screen))
    if waterfall:
        _refuse_others(context, "--waterfall", {"waterfall", *WATERFALL_OPTIONS})
    _starting(
        screen, f"{'the waterfall' if waterfall else 'parity'} of {model} in {implementations or 'all that have it'}"
    )

    from compare.commands.parity import parity_command
    from compare.parity.plan import Options
    from shared.data.choice import default_data_dir

    options = Options(
        model=model,
        dataset=dataset,
        data_dir=data_dir or default_data_dir(),
        implementations=implementations,
        precision=precision,
        steps=steps,
        draws=draws,
        seed=seed,
        seeds=3 if waterfall and "seeds" not in _given(context) else seeds,
        batch_size=batch_size,
        optimizer=optimizer,
        rung=rung,
        device=device,
        mode=mode,
        world_size=world_size,
        out=out,
        timeout_s=timeout,
        command=_command(),
        screen=screen,
    )
    if waterfall:
        from compare.commands.parity_waterfall import waterfall_command

        raise typer.Exit(waterfall_command(options))
    raise typer.Exit(parity_command(options))


WATERFALL_OPTIONS = (
    "model", "dataset", "data_dir", "implementations", "steps", "seed", "seeds", "batch_size", "device", "mode", "out",
    "timeout", "as_json", "quiet",
)  # fmt: skip


def _given(context: typer.Context) -> list[str]:
    """The options that stand on the command line."""
    return [name for name in context.params if context.get_parameter_source(name).name == "COMMANDLINE"]  # type: ignore[union-attr]


def _again(context: typer.Context, without: Sequence[str]) -> list[str]:
    """The options as they were given, without some."""
    given = set(_given(context)) - set(without)
    arguments = []
    for option in context.command.params:
        if option.name in given:
            value = context.params[option.name]
            arguments += [option.opts[0]] if value is True else [option.opts[0], mounts.shown(value)]
    return arguments


def _refuse_others(context: typer.Context, flag: str, known: set[str]) -> None:
    from shared.errors import InputError

    if others := [f"--{name.replace('_', '-')}" for name in _given(context) if name not in known]:
        raise InputError(f"{' and '.join(others)} cannot be given with {flag}: it does not ask for that.")


@app.command()
def bench(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="Architecture.")] = "cnn_same",
    dataset: Annotated[
        str,
        typer.Option(help="embedded (digits or photographs), mnist, fashion_mnist, cifar10 or FILE.npz."),
    ] = "embedded",
    data_dir: DataDir = None,
    implementations: Annotated[
        str, typer.Option(help="Which implementations, separated by commas.")
    ] = "torch,keras,tf_lowlevel",
    modes: Annotated[
        str, typer.Option(help="default (torch eager, TensorFlow graph), eager, graph, xla, tuned; several by commas.")
    ] = "default",
    mixed_precision: Annotated[
        str,
        typer.Option(
            help="none, bfloat16, or on CUDA tf32 (factors of products are rounded to it); several by commas."
        ),
    ] = "none",
    baseline: Annotated[
        str | None, typer.Option(help="Contestant that the others are held against.", show_default="the first")
    ] = None,
    aa: Annotated[
        str | None, typer.Option("--aa", help="Pit one implementation against itself: the interval must hold 1.")
    ] = None,
    batch_sizes: Annotated[str, typer.Option(help="Images in a batch; several by commas give curves.")] = "64",
    threads: Annotated[
        str | None, typer.Option(help="Threads of each framework; several give curves.", show_default="cores")
    ] = None,
    world_size: Annotated[
        str, typer.Option(metavar="N", help="Processes that train a network together; 1,2 tells what two are worth.")
    ] = "1",
    interval: Annotated[
        float, typer.Option(help="Launch until half the confidence interval of every ratio is below this.")
    ] = 0.03,
    precision: Annotated[float | None, typer.Option(hidden=True, help="The former name of --interval.")] = None,
    budget: Annotated[float, typer.Option(help="Launch no more after so many seconds.")] = 120.0,
    allocator: Annotated[
        str, typer.Option(help="kept (glibc keeps freed memory, for all alike) or system (as users have it).")
    ] = "kept",
    retune: Annotated[bool, typer.Option("--retune", help="Search for tuned anew, whatever is remembered.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Show where the time of a step goes.")] = False,
    waterfall: Annotated[
        bool, typer.Option("--waterfall", help="From each plain loop to the fastest, one factor at a time.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    seed: Annotated[int, typer.Option(help="Of the initial weights, the batches and the order of turns.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.located_new,
            callback=_usable,
            help="Output folder.",
            show_default="runs/<UTC time>-bench-<model>",
        ),
    ] = None,
    executor: Annotated[
        str, typer.Option(help="local, or ray: one node of a Ray cluster, which is given nothing else meanwhile.")
    ] = "local",
    address: Annotated[str, typer.Option(metavar="HOST:PORT", help="The Ray cluster; auto finds it.")] = "auto",
    timeout: Annotated[float, typer.Option(help="Give a worker up after so many seconds without an answer.")] = 300.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Time training steps in turns, launch after launch, until the ratios are known."""
    screen = _starting(_screen(as_json, quiet), f"a bench of {model}, {aa or implementations}, modes {modes}")

    from compare.bench.plan import Options
    from compare.training.executor import check_executor
    from shared.data.choice import default_data_dir

    if check_executor(executor, address) == "ray":
        from compare.commands.bench import default_out
        from compare.commands.ray_bench import bench_on_ray

        again = _again(context, without=("executor", "address", "out"))
        raise typer.Exit(bench_on_ray(address, again, _command(), device == "cuda", out or default_out(model)))
    if precision is not None:
        if "interval" in _given(context):
            raise InputError("--precision is the former name of --interval. Give one of them.")
        interval = precision
    if aa and "implementations" in _given(context):
        raise InputError("--aa names the one implementation that takes part; leave --implementations out.")
    options = Options(
        model=model,
        dataset=dataset,
        data_dir=data_dir or default_data_dir(),
        implementations=implementations,
        modes=modes,
        mixed_precisions=mixed_precision,
        world_sizes=world_size,
        baseline=baseline,
        aa=aa,
        batch_sizes=batch_sizes,
        threads=threads,
        interval=interval,
        budget_s=budget,
        allocator=allocator,
        retune=retune,
        profile=profile,
        device=device,
        seed=seed,
        out=out,
        timeout_s=timeout,
        command=_command(),
        screen=screen,
    )
    if waterfall:
        from compare.commands.bench_waterfall import waterfall_command as command

        _refuse_others(context, "--waterfall", {"waterfall", "interval", "precision", *SPEED_OPTIONS})
    elif "," in batch_sizes or "," in (threads or ""):
        from compare.commands.bench_scaling import scaling_command as command

        _refuse_others(context, "several batch sizes or threads", {"allocator", "baseline", "modes", *SPEED_OPTIONS})
    else:
        from compare.commands.bench import bench_command as command
    code = command(options)
    if precision is not None:
        screen.note("--precision is called --interval in 'bench' now. It means the same.")
    raise typer.Exit(code)


SPEED_OPTIONS = (
    "model", "dataset", "data_dir", "implementations", "batch_sizes", "threads", "mixed_precision", "budget", "device",
    "seed", "out", "timeout", "as_json", "quiet",
)  # fmt: skip


RunFolder = Annotated[
    Path, typer.Argument(parser=located, callback=_usable, help="Folder that 'python -m compare' wrote.")
]


@app.command()
def report(
    folders: Annotated[
        list[Path],
        typer.Argument(
            parser=located,
            callback=_usable,
            metavar="RUN_DIR...",
            help="Folders of runs, comparisons and benches.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.located_new,
            callback=_usable,
            help="Output folder.",
            show_default="RUN_DIR; of several runs/<UTC time>-report",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make the reports of a folder anew from its records, or one report of several folders."""
    screen = _starting(_screen(as_json, quiet), f"reading {len(folders)} folder{'s' * (len(folders) > 1)}")

    from compare.commands.report import report_command

    raise typer.Exit(report_command(folders, out, _command(), screen))


@app.command()
def verify(
    folder: RunFolder,
    rerun: Annotated[bool, typer.Option("--rerun", help="Evaluate the trained weights again, too.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say whether every file of a folder is as it was written, and its reports what its records say."""
    screen = _starting(_screen(as_json, quiet), f"checking every file of {mounts.shown(folder)}")

    from compare.commands.verify import verify_command
    from shared.data.choice import default_data_dir

    raise typer.Exit(verify_command(folder, rerun, data_dir or default_data_dir(), screen))


@app.command()
def diff(
    before: Annotated[
        Path, typer.Argument(parser=located, callback=_usable, metavar="RUN_A", help="Folder of the run before.")
    ],
    after: Annotated[
        Path, typer.Argument(parser=located, callback=_usable, metavar="RUN_B", help="Folder of the run after.")
    ],
    margin: Annotated[float, typer.Option(help="Accuracies this near are one: 0.003 is 0.3 points.")] = 0.003,
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Compare runs of different machines, with a warning.")
    ] = False,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit with 1 where accuracy or speed got worse.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what changed from one run to another, and whether accuracy or speed moved by more than noise."""
    screen = _starting(_screen(as_json, quiet), "reading both runs")

    from compare.commands.diff import diff_command

    raise typer.Exit(diff_command(before, after, margin, across_machines, fail_on_regression, screen))


@app.command()
def export(
    run_dir: RunFolder,
    format_: Annotated[
        str, typer.Option("--format", help="torch (torch.export), onnx, keras or tf_savedmodel.", show_default=False)
    ],
    implementation: Annotated[
        str | None, typer.Option(help="Whose network.", show_default="the format's own framework's, or the first")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Which seed's network.", show_default="the first")] = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.here,
            callback=_usable,
            help="File, or folder of a SavedModel.",
            show_default="in RUN_DIR/exports",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a trained network as a file that its framework loads without this project."""
    screen = _starting(_screen(as_json, quiet), f"exporting a network of {mounts.shown(run_dir)} as {format_}")

    from compare.commands.export import Options, export_command
    from shared.data.choice import default_data_dir

    options = Options(run_dir, format_, implementation, seed, data_dir or default_data_dir(), out, screen)
    raise typer.Exit(export_command(options))


@app.command()
def visualize(
    run_dir: Annotated[
        Path, typer.Argument(parser=located, callback=_usable, help="Folder of a run, with its weights.")
    ],
    images: Annotated[str, typer.Option(help="Test images whose feature maps are shown.")] = "0,1,2",
    channel: Annotated[int, typer.Option("--filter", help="Which filter's feature maps are shown.")] = 0,
    cmap: Annotated[str, typer.Option(help="Colour map, one of matplotlib's.")] = "inferno",
    seed: Annotated[int | None, typer.Option(help="Which seed's networks.", show_default="the first")] = None,
    predict: Annotated[
        Path | None,
        typer.Option(parser=mounts.here, callback=_usable, help="A picture (PNG, JPEG) to be classified by all."),
    ] = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.here, callback=_usable, help="Folder for the pictures.", show_default="RUN_DIR/pictures"
        ),
    ] = None,
) -> None:
    """Draw filters, feature maps, learning curves, confusion matrices and the worst mistakes, side by side."""
    _starting(_screen(False, False), f"pictures of the networks of {mounts.shown(run_dir)}")

    from compare.commands.visualize import Options, visualize_command
    from shared.data.choice import default_data_dir

    options = Options(run_dir, data_dir or default_data_dir(), images, channel, cmap, seed, predict, out)
    raise typer.Exit(visualize_command(options))
