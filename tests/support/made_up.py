"""Made-up records of every kind of folder, for tests of what is made from them. They need no framework."""

from dataclasses import replace

import numpy as np
from results import result
from simulation import ENVIRONMENT, contestant, simulated_bench

from compare.analysis.seeds import Judging
from compare.bench import beside
from compare.bench.inference.record import (
    CallWindow,
    InferenceLaunch,
    InferenceResult,
    MeasuredServer,
    Served,
    Unavailable,
)
from compare.bench.ported.record import MeasuredModel, PassWindow, PortLaunch, PortTimes, TimedModel, TimedPair
from compare.bench.result import BenchResult
from compare.bench.waterfall import SpeedStage, SpeedWaterfall
from compare.parity.distance import Distance
from compare.parity.ladder import Bound, Ladder, Reading
from compare.parity.result import ParityResult, PrecisionResult
from compare.parity.waterfall import RecipeStage, RecipeWaterfall, TrainingCurve, stages
from compare.port import record as port_record
from compare.port.learning_record import FoundFit, FoundLearning, FoundStage, TrainingStep
from compare.registry.candidates import Candidate
from shared.choices import LossName, TaskName
from shared.models import CNN_SAME, Code
from shared.result import Epoch, Points, RunResult

FORMS = ("eager", "graph", "xla", "onnx", "savedmodel")
LAYERS = ("features.stage_four.block_two.convolution_depthwise", "classifier.dense_of_the_last_hidden_layer")


def runs(*names: str, n_seeds: int = 1) -> list[RunResult]:
    """Return runs of several implementations and seeds."""
    return [
        result(
            np.full(46, 0.02 + 0.01 * number),
            implementation=name,
            seed=seed,
            accuracy=0.97 + 0.001 * seed,
            slice_steps=(2,) * 23,
        )
        for number, name in enumerate(names or ("torch", "keras"))
        for seed in range(n_seeds)
    ]


def of_task(task: TaskName, loss: LossName, value: float, implementation: str = "torch", seed: int = 0) -> RunResult:
    """Return a run of a task with two outputs and the metric `value`."""
    network = replace(CNN_SAME, name="mine", task=task, loss=loss, code=Code("/somewhere/mine", ()))
    known = result(implementation=implementation, seed=seed)
    assert known.outcome is not None
    figures = {"rmse": value, "mae": 0.8 * value, "r2": 1 - value}
    if task == "multilabel":
        figures = {"macro_f1": value, "subset_accuracy": 0.5 * value}
    epoch = Epoch(epoch=1, train_loss=1.0, train_metrics=figures, test_loss=1.0, test_metrics=figures)
    outcome = known.outcome.model_copy(
        update={
            "epochs": tuple(epoch.model_copy(update={"epoch": one.epoch}) for one in known.outcome.epochs),
            "test_accuracy": None,
            "confusion": (),
            "test_metrics": figures,
            "points": (Points(predicted=(0.1, 0.9), true=(0.0, 1.0)),) * 2 if task == "regression" else (),
            "label_counts": ((3, 1, 2, 4), (0, 0, 0, 10)) if task == "multilabel" else (),
        }
    )
    run = known.run.model_copy(update={"model": "mine", "network": network})
    return RunResult.model_validate(known.model_copy(update={"run": run, "outcome": outcome}).model_dump())


def judging(names: tuple[str, ...]) -> Judging:
    """Return the criteria of a study of these implementations."""
    return Judging(implementations=names)


def bench(n_contestants: int = 6) -> BenchResult:
    """Return a bench of contestants with long names, each slower than the last."""
    known = simulated_bench()
    named = [f"{name}-{mode}" for name in ("torch", "keras", "tf_lowlevel") for mode in ("tuned", "graph")]
    names = ["torch", "keras", *named][:n_contestants]
    launches = []
    for launch in known.launches:
        measured = {}
        for number, name in enumerate(names):
            one = launch.measured[("torch", "keras")[number % 2]]
            windows = [
                w.model_copy(update={k: getattr(w, k) * (1 + number) for k in ("elapsed_s", "own_s")})
                for w in one.windows
            ]
            measured[name] = one.model_copy(update={"windows": tuple(windows)})
        launches.append(launch.model_copy(update={"measured": measured}))
    return known.model_copy(
        update={
            "contestants": tuple(contestant(name, name.partition("-")[0]) for name in names),
            "lacking": ("keras has no mode 'xla' here, and is left out of that.",),
            "environments": dict.fromkeys(names, ENVIRONMENT),
            "launches": tuple(launches),
        }
    )


def beside_result() -> beside.BesideResult:
    """Return a bench beside 0 and 1 busy processes. One busy process doubles the time of a step."""
    known = bench(4)
    launches = []
    for launch in known.launches:
        measured = {}
        for name, one in launch.measured.items():
            slower = [
                w.model_copy(update={"beside": 1, "elapsed_s": 2 * w.elapsed_s, "round": w.round + 4})
                for w in one.windows
                if w.round >= 0
            ]
            measured[name] = one.model_copy(update={"windows": (*one.windows, *slower)})
        launches.append(launch.model_copy(update={"measured": measured}))
    return beside.BesideResult(levels=(0, 1), result=known.model_copy(update={"launches": tuple(launches)}))


def curves() -> list[BenchResult]:
    """Return a bench for each of two batch sizes."""
    known = bench(3)
    larger = tuple(one.model_copy(update={"batch_size": 1024}) for one in known.contestants)
    return [known, known.model_copy(update={"contestants": larger})]


def speed_waterfall() -> list[SpeedWaterfall]:
    """Return a bench of two stages."""
    made = simulated_bench()
    factors = [one.name for one in made.contestants]
    before = [None, *factors]
    listed = tuple(SpeedStage(Candidate(factor, "eager"), last) for factor, last in zip(factors, before, strict=False))
    return [SpeedWaterfall(result=made, stages=listed)]


def recipes() -> RecipeWaterfall:
    """Return trainings in which one factor after another is matched."""
    random = np.random.default_rng(0)

    def curve() -> TrainingCurve:
        return TrainingCurve(tuple(random.uniform(0, 1, 4).tolist()), float(random.uniform(0.8, 1)))

    each = [tuple({"torch": curve(), "keras": curve()} for _ in range(2)) for _ in stages()]
    listed = tuple(RecipeStage(matched, some) for (matched, _), some in zip(stages(), each, strict=True))
    return RecipeWaterfall(model="dense_baseline", steps=4, stages=listed)


def parity(beyond: bool = False) -> ParityResult:
    """Return a comparison of three implementations in both precisions. If `beyond`, the last differs in float64."""
    names = ("torch", "keras", "tf_lowlevel")

    def precision(dtype: str, far: float, bound: float) -> PrecisionResult:
        distances = {name: Distance(far, far, 12) for name in names}
        if beyond:
            distances["tf_lowlevel"] = Distance(1.0, 1.0, 10**9)
        rungs = ("activations in training mode", "gradients", "step 20: optimizer state")
        readings = [Reading(rung, f"{LAYERS[0]}/kernel", distances, Bound(bound, "rounding")) for rung in rungs]
        return PrecisionResult(dtype, names, Ladder(tuple(readings)), {}, None, {}, {})  # type: ignore[arg-type]

    both = (precision("float64", 3e-15, 1e-12), precision("float32", 2e-7, 1e-5))
    return ParityResult("cnn_same", 0, precisions=both)


def port(fit: bool = False, steps: int = 0) -> port_record.PortRecord:
    """Return a comparison of two models with one cause. With `fit` it compares two training functions, with `steps`
    that many training steps."""
    models = [
        port_record.Model(reference=f"{side}.py:Net", framework=framework, version="2", name="Net|<b>")
        for side, framework in (("left", "torch"), ("right", "keras"))
    ]
    pair = {"left": LAYERS[0], "right": LAYERS[1], "kind": "Conv", "training_distance": None, "bound": 1e-12}
    pairs = [
        port_record.FoundPair(**pair, distance=distance, within=within)  # type: ignore[arg-type]
        for distance, within in ((0.0, True), (1e-5, False), (None, False))
    ]
    cause = port_record.FoundCause(
        cause="padding.side",
        pairs=(("conv1", "conv"), (None, "pad")),
        left="(1,1)",
        right="(0,1)",
        fix={"left": "padding=1", "right": "ZeroPadding2D(1)"},
        before=0.1,
        after=None,
        training=False,
    )
    layers = tuple(
        port_record.Layer(name=name, kind="Conv", layer="", inputs=inputs)
        for name, inputs in (("x", ()), ("conv1", ("x",)), ("conv", ("x", "conv1")))
    )
    return port_record.PortRecord(
        left=models[0],
        right=models[1],
        verdict="different",
        precision="float64",
        output_distance=0.1,
        training_distance=None,
        float32_distance=None,
        float32_bound=None,
        bound=1e-12,
        left_over=None,
        first=pairs[1],
        causes=(cause,),
        harmless=(port_record.Harmless(cause="padding.mode", pair=("conv1", "conv"), left="none", right="0"),),
        unexplained=(port_record.Unexplained(left="a", right="b", distance=None),),
        unmatched={"left": ("x",), "right": ()},
        pairs=tuple(pairs),
        layers={"left": layers, "right": layers},
        weights="left",
        n_pairs=3,
        n_weights=2,
        n_varied=1,
        rounded={"left": (), "right": ("gelu",)},
        untrained="no training mode",
        learning=_learning(fit, steps) if fit or steps else None,
    )


def _learning(fit: bool, n_steps: int) -> FoundLearning:
    names = ("the left function as it is", "data.order", "optimizer.learning_rate", "the right function as it is")
    found = [
        FoundStage(name=name, cause=name, losses=(2.0 - n / 4, 1.0 - n / 5), accuracy=0.5, distance=1.0 - n / 3)
        for n, name in enumerate(names)
    ]
    stages_ = FoundFit(stages=tuple(found), seen={"left": (2.0,), "right": (1.0,)}, closures={"left": 0, "right": 0})
    return FoundLearning(
        names={"left": "cross_entropy", "right": "categorical_crossentropy"},
        losses={"left": 2.3, "right": 2.4},
        loss_distance=0.1,
        gradient_distance=1e-3,
        gradient_bound=1e-12,
        n_gradients=8,
        inherited=False,
        asides=("Nothing was dropped at random.",),
        optimizers={"left": "adam", "right": "Adam"},
        update_distance=1e-9,
        steps=tuple(
            TrainingStep(left_loss=2.0 / n, right_loss=2.1 / n, distance=1e-9 * n, bound=1e-12)
            for n in range(1, n_steps + 1)
        ),
        fit=stages_ if fit else None,
    )


def port_times() -> PortTimes:
    """Return two models with long layer names, each in two modes, whose passes take fixed times."""
    names = {"left": "left", "right": "right", "left-graph": "left", "right-graph": "right"}
    random = np.random.default_rng(0)

    def measured(side: str) -> MeasuredModel:
        windows = [
            PassWindow(
                what=what,
                batch_size=n,
                round=number,
                position=0,
                calls=2,
                elapsed_s=n * 2e-3 * (1.4 if side == "right" else 1.0) * float(random.normal(1, 0.02)),
                own_s=1e-3,
                foreign_s=0.0,
                n_preempted=0,
                finite=True,
            )
            for number in range(3)
            for what in ("forward", "training")
            for n in (1, 64)
        ]
        layers = dict.fromkeys(LAYERS, (0.001, 0.0011))
        return MeasuredModel(
            mode="eager", in_words="eager", start_s=1.0, first_s={"forward": 0.1}, warm=True, windows=tuple(windows),
            node_s=layers,
        )  # fmt: skip

    return PortTimes(
        references={"left": "left.py:Net", "right": "right.py:build"},
        models=tuple(
            TimedModel(name=name, side=side, asked=None, threads=2, waiting="system", variables={})  # type: ignore[arg-type]
            for name, side in names.items()
        ),
        baseline="left",
        whats=("forward", "training"),
        untrained="",
        batch_sizes=(1, 64),
        node_batch_size=64,
        pairs=tuple(TimedPair(left=name, right=name, kind="Conv") for name in LAYERS),
        precision=0.1,
        budget_s=10.0,
        took_s=5.0,
        ending="precise",
        environments={},
        launches=tuple(
            PortLaunch(
                number=n, started_s=0.0, measured={name: measured(side) for name, side in names.items()}, failed={}
            )
            for n in range(3)
        ),
    )


def inference(forms: tuple[str, ...] = FORMS) -> InferenceResult:
    """Return several ways to serve a network of PyTorch, in batches of 1 and 64."""
    names = [f"torch-{form}" for form in forms]

    def windows(slowness: float) -> tuple[CallWindow, ...]:
        return tuple(
            CallWindow(
                batch_size=n, round=number, position=0, elapsed_s=2e-3, own_s=1e-3, foreign_s=0.0, n_preempted=0,
                call_us=tuple(n * slowness * us for us in (990.0, 1010.0) * 100),
            )
            for n in (1, 64)
            for number in range(2)
        )  # fmt: skip

    served = [
        Served(
            name=name, implementation="torch", form=form, threads=1, waiting="passive", variables={}, files_bytes=2**20
        )  # type: ignore[arg-type]
        for name, form in zip(names, forms, strict=True)
    ]  # fmt: skip
    measured = {
        name: MeasuredServer(
            start_s=1.0 + n, warm=True, distance=1e-7, windows=windows(1 + n), peak_rss_bytes=(n + 1) << 28
        )
        for n, name in enumerate(names)
    }
    return InferenceResult(
        model="cnn_same",
        dataset="digits",
        data_digest="0" * 64,
        seed=0,
        batch_sizes=(1, 64),
        served=tuple(served),
        unavailable=(
            Unavailable(name="keras-xla", implementation="keras", form="xla", why="its compiler is not installed here"),
        ),
        libraries=dict.fromkeys(names, 1 << 30),
        baseline=names[0],
        bound=1e-4,
        precision=0.03,
        budget_s=1.0,
        took_s=1.0,
        ending="budget",
        environments={},
        launches=tuple(
            InferenceLaunch(number=number, started_s=0.0, measured=measured, failed={}) for number in range(3)
        ),
    )
