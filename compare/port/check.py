"""Compare two models, from their references to a verdict."""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from compare.graphs.evaluate import NoReference, evaluate_node
from compare.graphs.node import Arrays, Recording, without_values
from compare.port import inputs as port_inputs
from compare.port import targets
from compare.port.align import Alignment, align
from compare.port.constants import unrounded
from compare.port.difference import Difference
from compare.port.differences import differences
from compare.port.explain import Case, Cause, Explanation, Unexplained, explain
from compare.port.fit import Fits, run_fits
from compare.port.fold_alike import fold_alike
from compare.port.kept import statistics_causes
from compare.port.learn import Learning
from compare.port.learned import Learned
from compare.port.measure import LEAST_BOUND, bounds, distance, output_distance, outputs_of
from compare.port.outputs import check_outputs, more_outputs, order_differences, order_of, reordered, unpaired
from compare.port.result import Pair, PortResult, Request, pairs_of
from compare.port.rounding import Rounded, is_random, recomputed, rounded_nodes
from compare.port.side import Side
from compare.port.single import in_float32
from compare.port.weights import Transfer, measured_statistics, transfer, varied
from compare.port.workers import ModelWorkers, settled
from shared.errors import InputError

SECOND_LOOK = 64.0  # factor for the inputs: larger values reach the places where activations differ


def compare_models(request: Request, workers: ModelWorkers) -> PortResult:
    """Compare two models. Raises InputError if one cannot be loaded or called."""
    started = workers.start(request.left, request.right, request.pythons, request.backends)
    left, right = settled([workers.pool.submit(Side, worker) for worker in started])
    for side, stated in zip((left, right), request.backends, strict=True):
        side.check_backend(stated)
    fits = run_fits((left, right), request, workers.pool, workers.tell)
    comparison = _Comparison(request, left, right, fits, workers.pool, workers.tell)
    result = comparison.result()
    if not request.float32 or result.verdict != "same":
        return result
    workers.tell("Comparing both in float32 ...")
    with ModelWorkers(workers.logs, workers.timeout_s, workers.tell) as others:
        hosts = request.pythons, request.backends
        single = in_float32(others, (request.left, request.right), hosts, comparison.inputs, (left.known, right.known))
    beyond = single.distance > single.bound
    found = (Cause("precision", (), single.distance, None),) if beyond else ()
    return replace(result, single=single, causes=found, verdict="different" if beyond else "same")


class _Comparison:
    """The steps of one comparison."""

    def __init__(
        self,
        request: Request,
        left: Side,
        right: Side,
        fits: Fits | None,
        pool: ThreadPoolExecutor,
        tell: Callable[[str], None],
    ) -> None:
        self.request, self.left, self.right, self.fits, self.pool, self.tell = request, left, right, fits, pool, tell
        stated = [side.loaded.inputs for side in (left, right)]
        self.targets: np.ndarray | None = None
        if request.data is not None:
            self.inputs = port_inputs.read(request.data, stated)
            self.targets = targets.read(request.data, stated)
        elif fits is not None:
            self.inputs, self.targets = fits.first()
        else:
            self.inputs = port_inputs.made_up(request.sizes, stated)
        self.target.check_suffix(request.save_weights)
        self.n_varied = 0
        self.untrained = ""
        self.training_differs = False  # also after every known cause in training mode is removed
        self.rounded: tuple[tuple[Rounded, ...], tuple[Rounded, ...]] = ((), ())
        self.constants: tuple[Difference, ...] = ()  # constants that one side has in float32
        self.forms: tuple[Difference, ...] = ()  # forms of the variance; no forward pass shows them

    @property
    def target(self) -> Side:
        """The model that receives the other's weights."""
        return self.left if self.request.weights == "right" else self.right

    def record(self, given: Arrays, training: bool) -> tuple[Recording, Recording]:
        """Call both models on the same inputs at the same time, and return both recordings."""
        calls = [self.pool.submit(side.record, given, training) for side in (self.left, self.right)]
        left, right = settled(calls)
        return left, right

    def result(self) -> PortResult:
        self.tell("Calling both models on the same inputs ...")
        left, right = self.record(self.inputs, False)
        alignment = align(left, right)
        order = order_of(left, right, alignment)
        if order != tuple(range(len(order))):
            self.right.order, right = order, reordered(right, order)
            alignment = align(left, right)
        check_outputs(left, right)
        if self.fits is not None:
            self.fits.own = dict(left.weights), dict(right.weights)
        sides = (self.left, self.right)
        left, right, alignment, folding = fold_alike(sides, left, right, alignment)
        if self.request.weights != "as-is":
            left, right = without_values(left), without_values(right)  # recorded again with the new weights
        moved = self.give_weights(left, right, alignment)
        if self.request.weights == "as-is":
            folding.give_exact(sides)
        if self.request.weights != "as-is" or folding.found:
            del left, right  # their weights can be gigabytes
            left, right = self.record(self.inputs, False)
            moved = transfer(left, right, alignment)
        measured = output_distance(outputs_of(right), outputs_of(left))
        left, right = self.rounded_away(left, right, alignment, self.inputs, False)
        case = self.case(left, right, alignment, self.inputs, False)
        self.tell("Looking for what explains the difference ...")
        self.graphs = without_values(left), without_values(right)
        found = differences(left, right, alignment, moved)
        random = tuple(d for d in found if d.cause == "dropout.in_evaluation")
        explanation = explain(case, [d for d in found if d not in random])
        causes = list(explanation.causes)
        if random:
            causes.insert(0, Cause("dropout.in_evaluation", random, measured, explanation.output_distance))
        if swapped := order_differences(left, right, order):
            there = [right.values[right.graph.outputs[order.index(place)]] for place in range(len(order))]
            before = output_distance(there, outputs_of(left))
            causes.insert(0, Cause("outputs.order", swapped, before, measured))
        causes += self.second_look(explanation, alignment)
        bound, pairs, output = case.bound, pairs_of(case), outputs_of(left)[0]
        left, right = self.graphs
        del case  # it holds the values
        trained, training_distance, training_pairs, unexplained = self.in_training(causes)
        causes += trained
        harmless = tuple(d for d in explanation.harmless if not any(d in cause.differences for cause in causes))
        learned = self.learned(output, bool(causes or unexplained or explanation.unexplained), causes)
        if self.request.save_weights is not None:
            self.target.worker.save_weights(self.request.save_weights)
        gap = explanation.output_distance
        nothing = not causes and not unexplained and not explanation.unexplained and not self.training_differs
        same = nothing and gap <= bound and (learned is None or learned.same)
        return PortResult(
            self.request,
            self.left.loaded,
            self.right.loaded,
            "same" if same else "different",
            measured if random else gap,
            bound,
            explanation.left_over,
            pairs,
            training_pairs,
            tuple(causes),
            (*harmless, *self.constants, *self.forms, *folding.found),
            tuple({(one.left, one.right): one for one in (*unexplained, *explanation.unexplained)}.values()),
            unpaired(left, alignment.left_only),
            unpaired(right, alignment.right_only),
            moved.n_moved,
            self.n_varied,
            training_distance,
            self.untrained,
            None,
            self.rounded,
            (left, right),
            learned,
            self.inputs,
        )

    def learned(self, output: np.ndarray, explained: bool, causes: Sequence[Cause]) -> Learned | None:
        """Compare losses, gradients and training, if that is asked for. `output` is the left model's. `explained`: both
        are known to differ, for the `causes` that were found."""
        wanted = self.request.wanted
        if not wanted.anything:
            return None
        if self.untrained:
            raise InputError(f"Losses and gradients need a call in training mode. {self.untrained}")
        sides = self.left, self.right
        learning = Learning(wanted, *sides, self.inputs, self.targets, self.batch, self.pool, self.tell, explained)
        learning.fits, learning.model, learning.rounded = self.fits, bool(causes), any(self.rounded)
        return learning.result(output)

    def batch(self, number: int) -> tuple[Arrays, np.ndarray | None]:
        """Return the inputs of one batch, and its targets if they are from data."""
        if self.request.data is None:
            return self.inputs, None
        inputs = port_inputs.read(self.request.data, [side.loaded.inputs for side in (self.left, self.right)], number)
        return inputs, None if self.targets is None else port_inputs.batch_of(self.targets, number)

    def give_weights(self, left: Recording, right: Recording, alignment: Alignment) -> Transfer:
        """Give one model the other's weights. Constant weights are varied first."""
        if self.request.weights == "as-is":
            return transfer(left, right, alignment)
        flipped = self.request.weights == "right"
        source, target = (self.right, self.left) if flipped else (self.left, self.right)
        first, second = (right, left) if flipped else (left, right)
        if flipped:
            alignment = Alignment(
                tuple((name_r, name_l) for name_l, name_r in alignment.pairs), alignment.right_only, alignment.left_only
            )
        self.tell(f"Giving the {target.worker.side} model the {source.worker.side} one's weights ...")
        new = {} if self.request.save_weights else varied(first)
        if "onnx" in (source.loaded.framework, target.loaded.framework):  # an exporter leaves out zeros
            alone = transfer(first, second, alignment).left_only
            new = {name: array for name, array in new.items() if name not in alone}
        if new:
            source.give(new)
            with contextlib.suppress(InputError):  # without a training mode the statistics stay as drawn
                new |= measured_statistics(source.record(self.inputs, True), new)
                source.record(self.inputs, False)  # training mode can have other layers
            source.give(new)
            self.n_varied = len(new)
        moved = transfer(replace(first, weights=first.weights | new), second, alignment)
        if not target.folds:
            second.weights.clear()  # they can be gigabytes, and the model is about to receive others
        target.give(moved.given)
        return moved

    def rounded_away(
        self, left: Recording, right: Recording, alignment: Alignment, given: Arrays, training: bool
    ) -> tuple[Recording, Recording]:
        """Return both recordings. One is recomputed by the reference evaluator if its framework rounds to float32
        within it, or if it drops at random."""
        if all(distance(a, b) <= LEAST_BOUND["float64"] for a, b in zip(*map(outputs_of, (left, right)), strict=False)):
            return left, right
        exact, constants = unrounded(left, right, alignment)
        self.constants = self.constants or constants
        both = [replace(rec, weights=rec.weights | own) for rec, own in zip((left, right), exact, strict=True)]
        found = [rounded_nodes(recording) for recording in both]
        self.rounded = tuple(found[0]), tuple(found[1])
        sides = zip((self.left, self.right), both, found, exact, strict=True)
        again = [
            recomputed(rec, given, side.fallback(training)) if some or own or is_random(rec) else rec
            for side, rec, some, own in sides
        ]
        return again[0], again[1]

    def case(self, left: Recording, right: Recording, alignment: Alignment, given: Arrays, training: bool) -> Case:
        fallbacks = [side.fallback(training) for side in (self.left, self.right)]
        return Case(left, right, alignment, given, bounds(left, given, fallbacks[0]), *fallbacks)

    def second_look(self, explanation: Explanation, alignment: Alignment) -> list[Cause]:
        """Find activations that differ only for values that the first call did not reach, with larger inputs."""
        hidden = [d for d in explanation.harmless if d.cause.startswith("activation.")]
        hidden = [d for d in hidden if d.left and d.right and self.differs_somewhere(d)]
        if not hidden:
            return []
        self.tell("Looking again with larger values ...")
        given = port_inputs.larger(self.inputs, SECOND_LOOK)
        left, right = self.rounded_away(*self.record(given, False), alignment, given, False)
        case = self.case(left, right, alignment, given, False)
        known = [d for cause in explanation.causes for d in cause.differences]
        return list(explain(case, hidden, known).causes)

    def differs_somewhere(self, difference: Difference) -> bool:
        """Whether two activations are different functions."""
        left, right = self.graphs
        a, b = left.graph[difference.left or ""], right.graph[difference.right or ""]
        line = np.linspace(-12, 12, 97)[None] * np.ones((2, 1))
        try:
            return distance(*(evaluate_node(node, [line], {}) for node in (a, b))) > 1e-9
        except (NoReference, ValueError, KeyError, IndexError):
            return False

    def in_training(
        self, known: list[Cause]
    ) -> tuple[list[Cause], float | None, tuple[Pair, ...], tuple[Unexplained, ...]]:
        """Find the causes that show only in training mode."""
        self.tell("Comparing both in training mode ...")
        try:
            left, right = self.record(self.inputs, True)
        except InputError as error:  # the comparison in evaluation mode remains valid
            self.untrained = str(error)
            self.tell(f"Compared in evaluation alone. {self.untrained.partition(chr(10))[0]}")
            return [], None, (), ()
        alignment = align(left, right)
        left, right = self.rounded_away(left, right, alignment, self.inputs, True)
        case = self.case(left, right, alignment, self.inputs, True)
        found = differences(left, right, alignment, transfer(left, right, alignment), training=True)
        before = [d for cause in known for d in cause.differences]
        # A node without a name of its own, such as arithmetic in raw TensorFlow, can be named differently in each mode.
        names = {(d.cause, side, at) for d in before for side, at in (("left", d.left), ("right", d.right)) if at}
        first = [d for d in found if {(d.cause, "left", d.left), (d.cause, "right", d.right)} & names]
        fresh = [d for d in found if d not in first]
        explanation = explain(case, fresh, first)
        self.training_differs = explanation.left_over > case.bound
        causes = [replace(cause, training=True) for cause in explanation.causes]
        causes += statistics_causes(case, fresh)
        self.forms = tuple(d for d in fresh if d.cause == "batch_norm.variance")
        rates = tuple(d for d in fresh if d.cause == "dropout.rate")
        dropped = tuple(d for d in fresh if d.cause == "layer.missing" and "Dropout" in (d.left_value + d.right_value))
        more = more_outputs(left, right)
        for name, some in (("dropout.rate", rates), ("layer.missing", dropped), ("outputs.number", more)):
            if some:
                causes.append(Cause(name, some, None, None, training=True))
        return causes, output_distance(outputs_of(right), outputs_of(left)), pairs_of(case), explanation.unexplained
