"""The options of `compare run`."""

from pathlib import Path
from typing import Annotated

import typer

from compare.cli.options import (
    AsJson,
    DataDir,
    Quiet,
    given_command,
    located,
    refuse_others,
    screen_for,
    starting,
    usable,
)
from shared.storage import mounts


def run(
    context: typer.Context,
    resume: Annotated[
        Path | None,
        typer.Option(
            parser=located,
            callback=usable,
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
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="adam, adamw (its weight decay is decoupled), or sgd with momentum 0.9.", show_default="adam"
        ),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default="adam 0.002, with --stop-at 0.001; sgd 0.01")
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(
            help="Weight decay of every parameter: decoupled with adamw, else coupled (L2).",
            show_default="adamw 0.01; else 0",
        ),
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
            callback=usable,
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
    screen = screen_for(as_json, quiet)
    if resume is not None:
        refuse_others(context, "--resume", {"resume", "data_dir", "timeout", "as_json", "quiet"})
        starting(screen, f"going on with the study in {mounts.shown(resume)}")
    else:
        starting(screen, f"a study of {model or 'cnn_same'} with {implementations}, data set {dataset}")

    from compare.commands.run import resume_command, run_command
    from compare.training.options import Options
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
            weight_decay=weight_decay,
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
            command=given_command(),
            screen=screen,
        )
    )
    raise typer.Exit(code)
