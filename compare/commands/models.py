"""`compare models`: the architectures, or the layers of one; with a check, also the frameworks' own counts."""

import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from compare import networks
from compare.folders.output import write_whole
from compare.networks import sources
from compare.options.inventory import ModelsOptions
from compare.processes import environment
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.registry import IMPLEMENTATIONS
from compare.reporting.screen import Screen, print_lines, printable, wrapped
from compare.rpc import messages
from shared.contract import frameworks_count
from shared.errors import InputError
from shared.models import MODELS, ModelSpec
from shared.protocol import Build
from shared.storage import temporary
from shared.training import TrainSpec
from shared.weights import initial_weights

TIMEOUT_S = 300.0
BETWEEN = 4  # columns that a table needs beside the code
SIDE_BY_SIDE = 120  # columns of a window


def command(options: ModelsOptions, screen: Screen) -> int:
    """Print the table, and return the exit code. Raises InputError if no architecture has that name."""
    name = options.name
    for asked, of in ((options.check, "--check"), (options.source, "--source"), (options.scaffold, "--scaffold DIR")):
        if asked and name is None:
            raise InputError(f"{of} needs the name of an architecture: 'python -m compare models cnn_same {of}'.")
    console = screen.console()
    if name is None:
        _print_overview(screen)
        for spec in MODELS.values():
            screen.say(f"{spec.name}: {sources.description(sources.of(spec))}")
        console.print()
        for name_, implementation in IMPLEMENTATIONS.items():
            console.print(f"{name_}: {implementation.title}, {len(implementation.models)} architectures")
        for absent, reason in IMPLEMENTATIONS.absent.items():
            screen.say(f"{absent} cannot be used: {reason}")
        screen.answer(architectures=[_figures(spec) for spec in MODELS.values()], absent=IMPLEMENTATIONS.absent)
        return 0
    spec = networks.named(name)
    if options.scaffold is not None:
        return _scaffold(spec, options.scaffold, screen)
    if options.source:
        return _source(spec, screen)
    if said := sources.description(sources.of(spec)):
        screen.say(said)
    counted = _count(spec, screen) if options.check else {}
    show_layers(spec, screen, counted)
    code = _verdict(spec, counted, console) if options.check else 0
    layers = [{"layer": one.name, "output": one.output_shape, "flops": one.flops} for one in spec.layers]
    counts = {name: one.model_dump() for name, one in counted.items()}
    screen.answer(**_figures(spec), layers=layers, counted=counts, agree=code == 0)
    return code


def show_layers(spec: ModelSpec, screen: Screen, counted: dict[str, messages.Counted] | None = None) -> None:
    """Print the layers of a network, with the counts of each framework in `counted`."""
    console = screen.console()
    headings, lines = _layers(spec, counted or {})
    one = "image" if spec.inputs == "images" else "example"
    print_lines(console, headings, lines, ("layer",), f"{spec.name}, one {one}")
    if spec.dropout is not None:
        console.print(f"Dropout at rate {spec.dropout:g} unless --dropout says otherwise.")


def _source(spec: ModelSpec, screen: Screen) -> int:
    """Print the code of the network in each implementation: side by side, or one below the other in a narrow window."""
    code = sources.of(spec)
    shown = {name: "\n".join(map(printable, text.expandtabs(4).splitlines())) for name, text in code.items()}
    console = screen.console()
    if console.width >= SIDE_BY_SIDE:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in shown:
            table.add_column(name, overflow="fold", ratio=1)
        room = console.width // len(shown) - BETWEEN
        table.add_row(*(Text("\n".join(_within(text, room))) for text in shown.values()))
        console.print(table)
    else:
        for name, text in shown.items():
            console.print(f"# {name}", style="bold")
            # A file gets the code unchanged; a terminal would break long lines anywhere, and lose their indentation.
            lines = _within(text, console.width) if console.is_terminal else text.splitlines()
            console.print(Text("\n".join(lines)), soft_wrap=True)
            console.print()
    screen.answer(name=spec.name, source=code)
    return 0


def _within(code: str, room: int) -> list[str]:
    """Wrap code to lines of at most `room` columns, if its words allow it; continued lines are indented further."""
    return [part for line in code.splitlines() for part in wrapped(line, room)]


def _scaffold(spec: ModelSpec, folder: Path, screen: Screen) -> int:
    """Copy the network to a new folder."""
    networks.check_new(folder)
    content = sources.scaffold(spec, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made: {error.strerror}. Give another one.") from None
    for name, data in content.items():
        write_whole(folder, name, data)
    networks.own(folder)
    screen.say(f"{spec.name} is in {folder}: {', '.join(content)}.")
    screen.say(f"Change it, and then: python -m compare contract {folder}")
    screen.answer(folder=folder, files=list(content))
    return 0


def _figures(spec: ModelSpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "input": spec.input_shape,
        "parameters": spec.n_params,
        "trainable": spec.n_trainable,
        "flops": spec.flops,
    }


def _print_overview(screen: Screen) -> None:
    lines = [
        [spec.name, _shape(spec.input_shape), f"{spec.n_params:,}", f"{spec.n_trainable:,}", f"{spec.flops:,}"]
        for spec in MODELS.values()
    ]
    headings = ["name", "input", "parameters", "trainable", "FLOPs"]
    print_lines(screen.console(), headings, lines, ("name",), "Architectures")


def _layers(spec: ModelSpec, counted: dict[str, messages.Counted]) -> tuple[list[str], list[list[str]]]:
    """Return the headings, and a line for each layer; with `counted` a column for each framework's count."""
    headings = ["layer", "output", "parameters", "FLOPs", *counted]
    lines = [["input", _shape(spec.input_shape)]]
    for layer in spec.layers:
        asked = [f"{c.n_params.get(layer.name, 0):,}" for c in counted.values()]
        n_params = spec.n_params_of(layer.name)
        lines.append([layer.name, _shape(layer.output_shape), f"{n_params:,}", f"{layer.flops:,}", *asked])
    sums = [f"{sum(c.n_params.values()):,}" for c in counted.values()]
    lines.append(["all", "", f"{spec.n_params:,}", f"{spec.flops:,}", *sums])
    lines.append(["trainable", "", f"{spec.n_trainable:,}"])
    if counted and frameworks_count(spec):
        lines.append(["FLOPs", "", "", f"{spec.flops:,}", *(f"{c.flops:,}" for c in counted.values())])
    return headings, [line + [""] * (len(headings) - len(line)) for line in lines]


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)


def _count(spec: ModelSpec, screen: Screen) -> dict[str, messages.Counted]:
    """Return each framework's count of its own network."""
    counted = {}
    having = [name for name, implementation in IMPLEMENTATIONS.items() if implementation.has(spec)]
    with temporary.folder("logs") as logs:
        threads = environment.usable_cores()
        with Workers(logs, "cpu", TIMEOUT_S, screen.note, threads) as workers:
            for name, session in workers.start(having).items():
                try:
                    session.wait_until_ready()
                    mode = IMPLEMENTATIONS[name].default_mode
                    session.create(Build(spec, TrainSpec(epochs=1), initial_weights(spec, 0), "cpu", mode))
                    counted[name] = session.counts()
                except WorkerError as error:
                    print(f"{name} could not count: {error}\n{error.details}", file=sys.stderr)
    return counted


def _verdict(spec: ModelSpec, counted: dict[str, messages.Counted], console: Console) -> int:
    contract = {layer.name: n for layer in spec.layers if (n := spec.n_params_of(layer.name))}
    by_frameworks = frameworks_count(spec)
    wrong = [name for name, c in counted.items() if c.n_params != contract or (by_frameworks and c.flops != spec.flops)]
    asked = [name for name, spec_ in IMPLEMENTATIONS.items() if spec_.has(spec)]
    if wrong or len(counted) < len(asked):
        console.print(f"Different from the contract: {', '.join(wrong) or 'none of those that answered'}.")
        return 1
    how = (
        "with FLOPs by each framework's own profiler"
        if by_frameworks
        else "FLOPs not compared: no framework counts every step of a recurrent layer"
    )
    console.print(f"{', '.join(counted)} count the same, layer by layer, {how}.")
    return 0
