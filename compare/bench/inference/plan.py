"""The plan of `compare bench --inference`: its options checked and turned into ways to serve."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from compare import checks, networks
from compare.bench.inference.record import FILES, FORMS, MODES, WORDS, Form, InferenceResult, Served, Unavailable
from compare.bench.plan import EMBEDDED
from compare.extras import missing
from compare.options.bench import BenchOptions
from compare.options.common import BY_DEFAULT
from compare.registry import implementation
from compare.registry.candidates import ALLOCATOR_VARIABLES
from compare.registry.spec import ImplementationSpec
from shared.data import Data, load
from shared.data.choice import choose
from shared.errors import InputError, check_name
from shared.models import ModelSpec

BOUND = 1e-4  # relative to the largest logit: float32 and another order of sums, as for `compare export`
N_TIMED = 1024  # images used by the calls


@dataclass(frozen=True)
class InferencePlan:
    """A checked bench of inference; `options` is everything that was asked for."""

    options: BenchOptions
    model: ModelSpec
    served: list[Served]
    unavailable: list[Unavailable]
    baseline: str
    batch_sizes: tuple[int, ...]
    threads: int

    def load_data(self) -> tuple[str, Data]:
        """Return the data set's name and the data. Raise InputError if the network cannot take them."""
        options = self.options
        if options.dataset == EMBEDDED:
            dataset = "photographs" if self.model.input_shape == (32, 32, 3) else "digits"
        else:
            dataset = choose(options.dataset, options.data_folder).dataset
        data = load(options.data_spec(dataset, inputs=self.model.inputs), options.data_folder)
        checks.check_shape(self.model, data, dataset)
        checks.check_batch_size(max(self.batch_sizes), data, "--batch-sizes")
        return dataset, data

    def images(self, data: Data) -> np.ndarray:
        """Return the images (N, H, W, C) that all calls use: test images, then training images, as many as the largest
        batch needs."""
        n = max(N_TIMED, *self.batch_sizes)
        found = data.x_test[:n]
        if len(found) < n:
            found = np.concatenate([found, data.x_train[: n - len(found)]])
        return np.ascontiguousarray(found, np.float32)

    def nothing_yet(self, dataset: str, data: Data) -> InferenceResult:
        """Return the record of this bench before its first launch."""
        return InferenceResult(
            model=self.model.name,
            dataset=dataset,
            data_digest=data.digest(),
            seed=self.options.seed,
            batch_sizes=self.batch_sizes,
            served=tuple(self.served),
            unavailable=tuple(self.unavailable),
            libraries={},
            baseline=self.baseline,
            bound=BOUND,
            precision=self.options.interval,
            budget_s=self.options.budget_s,
            took_s=0.0,
            ending="interrupted",
            environments={},
            launches=(),
            network=self.model if self.model.code else None,
        )


def make_plan(options: BenchOptions) -> InferencePlan:
    """Check what can be checked without the data. Raise InputError."""
    if options.device != "cpu":
        raise InputError("--inference is measured on the CPU alone. Leave --device out.")
    if len(options.threads or ()) > 1:
        raise InputError("--inference takes one number of threads. Give --threads one number.")
    model = networks.named(options.model)
    checks.check_only_images(model, "--inference")
    names = checks.having(options.implementations, BY_DEFAULT, model)
    options = replace(options, implementations=names)
    threads = options.threads[0] if options.threads else checks.default_threads(list(names))
    served: list[Served] = []
    unavailable: list[Unavailable] = []
    for name, form in product(names, _forms(options)):
        spec = implementation(name)
        checks.check_model(name, model)
        offered = form in spec.modes or FILES.get(form) in (*spec.exports, *spec.also_serves)
        if not offered and "all" in options.served_as:
            continue
        way = f"{name}-{form.replace('_', '-')}"
        if why := _why_not(spec, form):
            unavailable.append(Unavailable(name=way, implementation=name, form=form, why=why))
            continue
        variables = {**ALLOCATOR_VARIABLES[options.allocator], **spec.variables}
        served.append(
            Served(
                name=way,
                implementation=name,
                form=form,
                threads=threads,
                waiting=options.waiting,
                variables=variables,
                files_bytes=0,
            )
        )
    if not served:
        said = " ".join(f"{one.name}: {one.why}." for one in unavailable)
        raise InputError(f"There is no way to serve {model.name}. {said} Give other --served-as or --implementations.")
    ways = [one.name for one in served]
    baseline = ways[0] if options.baseline is None else check_name("baseline", options.baseline, ways)
    sizes = tuple(sorted({1, *options.batch_sizes}))
    return InferencePlan(options, model, served, unavailable, baseline, sizes, threads)


def _forms(options: BenchOptions) -> list[Form]:
    asked = options.served_as
    return [form for form in FORMS if form in asked or "all" in asked]


def _why_not(spec: ImplementationSpec, form: Form) -> str:
    """Return why an implementation cannot be served in a form; "" if it can."""
    if form in MODES and form not in spec.modes:
        return f"{spec.title} has no mode '{form}', only {' and '.join(spec.modes)}"
    if form in FILES and FILES[form] not in (*spec.exports, *spec.also_serves):
        return f"{spec.title} writes no file for {WORDS[form]}"
    if form == "onnx" and (lacking := missing("onnx")):
        return f"it needs {' and '.join(lacking)}: pip install 'compare[onnx]'"
    if spec.n_workers > 1:
        return "several processes train it, and one answers"
    return ""
