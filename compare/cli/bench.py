"""The options of `compare bench`."""

from pathlib import Path
from typing import Annotated

import typer

from compare.cli.options import (
    AsJson,
    DataDir,
    Quiet,
    given_command,
    given_options,
    refuse_others,
    same_options,
    screen_for,
    starting,
    usable,
)
from shared.errors import InputError
from shared.storage import mounts

SPEED_OPTIONS = (
    "model", "dataset", "data_dir", "implementations", "batch_sizes", "threads", "mixed_precision", "budget", "device",
    "seed", "out", "timeout", "as_json", "quiet",
)  # fmt: skip


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
        str | None, typer.Option(help="Contestant that the others are compared with.", show_default="the first")
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
    retune: Annotated[bool, typer.Option("--retune", help="Search for the fastest settings of tuned again.")] = False,
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
            callback=usable,
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
    screen = starting(screen_for(as_json, quiet), f"a bench of {model}, {aa or implementations}, modes {modes}")

    from compare.bench.plan import Options
    from compare.training.executor import check_executor
    from shared.data.choice import default_data_dir

    if check_executor(executor, address) == "ray":
        from compare.commands.bench import default_out
        from compare.commands.ray_bench import bench_on_ray

        again = same_options(context, without=("executor", "address", "out"))
        raise typer.Exit(bench_on_ray(address, again, given_command(), device == "cuda", out or default_out(model)))
    if precision is not None:
        if "interval" in given_options(context):
            raise InputError("--precision is the former name of --interval. Give one of them.")
        interval = precision
    if aa and "implementations" in given_options(context):
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
        command=given_command(),
        screen=screen,
    )
    if waterfall:
        from compare.commands.bench_waterfall import waterfall_command as command

        refuse_others(context, "--waterfall", {"waterfall", "interval", "precision", *SPEED_OPTIONS})
    elif "," in batch_sizes or "," in (threads or ""):
        from compare.commands.bench_scaling import scaling_command as command

        refuse_others(context, "several batch sizes or threads", {"allocator", "baseline", "modes", *SPEED_OPTIONS})
    else:
        from compare.commands.bench import bench_command as command
    code = command(options)
    if precision is not None:
        screen.note("--precision is called --interval in 'bench' now. It means the same.")
    raise typer.Exit(code)
