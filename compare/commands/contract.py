"""`compare contract`: write the contract of a user's own network from one framework's code, and compare it with the
others'."""

import re
from pathlib import Path

from compare import networks
from compare.commands.models import TIMEOUT_S, show_layers
from compare.folders.output import write_whole
from compare.options.inventory import ContractOptions
from compare.processes import environment
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.reporting.screen import Screen
from shared import contract, own_code
from shared.choices import LossName, TaskName
from shared.description import CONTRACT, Description
from shared.errors import InputError, check_name
from shared.models import Code, ModelSpec
from shared.storage import files, temporary
from shared.task import LOSSES_IN_WORDS, TASKS

STATES_INPUT = "keras"  # the implementation whose code states the shape of an image


def command(options: ContractOptions, screen: Screen) -> int:
    """Write the contract; return the exit code: 1 if another framework's code differs from it. Raises InputError."""
    name, folder = networks.name_of(options.folder), options.folder
    code = own_code.read(folder)
    having = _having(code, options)
    found = _described(having, code, _shape(options), options.tokens, screen)
    try:
        spec = contract.derived(name, found[having[0]], *_task(options))
    except ValueError as error:
        raise InputError(f"{folder / IMPLEMENTATIONS[having[0]].own_file} makes no contract: {error}.") from None
    content, path = contract.write(spec), folder / CONTRACT
    changed = not path.exists() or files.read(path, contract.MAX_BYTES, "Move it elsewhere.") != content
    if changed:
        write_whole(folder, CONTRACT, content)
    networks.remember(own_code.read(folder))
    show_layers(spec, screen)
    if spec.task != "classification":
        screen.say(f"For {TASKS[spec.task].title}, trained by the {LOSSES_IN_WORDS[spec.loss]}.")
    screen.say(f"{'Written' if changed else 'Unchanged'}: {path}, from {IMPLEMENTATIONS[having[0]].own_file}.")
    wrong = {other: said for other in having if (said := contract.differences(spec, found[other]))}
    for other in having:
        file = IMPLEMENTATIONS[other].own_file
        screen.say(f"{file} differs: {'; '.join(wrong[other])}." if other in wrong else f"{file} matches the contract.")
    known = {one.own_file for one in IMPLEMENTATIONS.values() if one.own_file}
    absent = sorted(known - set(dict(code.files)))
    if absent:
        screen.say(f"Every command leaves these out, as they have no file: {', '.join(absent)}.")
    screen.answer(contract=path, written_from=having[0], agree=not wrong, differences=wrong)
    return 1 if wrong else 0


def _having(code: Code, options: ContractOptions) -> list[str]:
    """Return the implementations with a file in the folder; first the one that the contract is written from."""
    able = {name: one for name, one in IMPLEMENTATIONS.items() if one.own_file}
    having = [name for name, one in able.items() if one.own_file in dict(code.files)]
    if not having:
        raise InputError(
            f"{options.folder} has none of {', '.join(one.own_file for one in able.values())}. 'python -m compare "
            "models cnn_same --scaffold DIR' writes an example of each to a new folder."
        )
    if options.source is None:
        return having
    first = check_name("implementation with a file there", options.source, having)
    return [first, *(name for name in having if name != first)]


def _shape(options: ContractOptions) -> tuple[int, ...] | None:
    """Return the shape of an input from --input or the existing contract; None if neither has it."""
    if options.input is not None:
        if not re.fullmatch(r"[1-9]\d{0,4}(x[1-9]\d{0,4}){0,2}", options.input.strip()):
            raise InputError(
                f"--input {options.input[:100]!r} is not valid. Give height x width x channels of an image (40x40x3), "
                "steps x values of a sequence (20x8), or the length of a vector or of tokens (16)."
            )
        return tuple(map(int, options.input.strip().split("x")))
    return None


def _task(options: ContractOptions) -> tuple[TaskName, LossName | None]:
    """Return the task and the loss from the options or the existing contract."""
    known = _known(options.folder)
    task = options.task or (known.task if known else "classification")
    same = known is not None and known.task == task
    return task, options.loss or (known.loss if same and known else None)


def _described(
    having: list[str], code: Code, shape: tuple[int, ...] | None, tokens: bool, screen: Screen
) -> dict[str, Description]:
    """Return each implementation's description, from a worker each. Raise InputError, also as UserCodeError."""
    found: dict[str, Description] = {}
    with (
        temporary.folder("logs") as logs,
        Workers(logs, "cpu", TIMEOUT_S, screen.note, environment.usable_cores()) as workers,
    ):
        sessions = workers.start(having)
        if shape is None and STATES_INPUT in sessions:
            found[STATES_INPUT] = _ask(STATES_INPUT, sessions[STATES_INPUT], code, None, tokens)
            shape, tokens = found[STATES_INPUT].input_shape, found[STATES_INPUT].tokens
        if shape is None and (known := _known(Path(code.folder))):
            shape, tokens = known.input_shape, known.inputs == "tokens"
        for name in having:
            if name not in found:
                found[name] = _ask(name, sessions[name], code, shape, tokens)
    return found


def _known(folder: Path) -> ModelSpec | None:
    """Return the existing contract; None if there is none that can be read."""
    try:
        content = files.read(folder / CONTRACT, contract.MAX_BYTES, "Write it again.")
        return contract.read(content, folder.name)
    except (InputError, ValueError):
        return None


def _ask(name: str, session: Session, code: Code, shape: tuple[int, ...] | None, tokens: bool) -> Description:
    try:
        session.wait_until_ready()
        return session.describe(code, shape, tokens)
    except WorkerError as error:
        file = f"{Path(code.folder).name}/{IMPLEMENTATIONS[name].own_file}"
        wrote = f"Its last output: {error.details[-500:]}" if error.details else "It printed nothing."
        raise InputError(f"{file} could not be built and called: {error}. {wrote}") from None
