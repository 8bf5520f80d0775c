# ruff: noqa: E501  # a pair is a line
"""Pairs of small models, each with its own training function, for `compare port --fit` (slips.py)."""

from slip import Slip

TORCH = "nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 5)"
KERAS = "L.Dense(16, activation='tanh'), L.Dense(5)"
SOFT = "L.Dense(16, activation='tanh'), L.Dense(5, activation='softmax')"
CONV = "nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, eps=1e-3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)"
KCONV = "L.Conv2D(4, 3), L.BatchNormalization(epsilon={epsilon}, momentum=0.9), L.ReLU(), L.Flatten(), L.Dense(5)"
DATA = """import numpy as np


def data(shape=(12,), n=44):
    random = np.random.default_rng(0)
    x = random.standard_normal((n, *shape)).astype("float32")
    return x, random.integers(0, 5, n)
"""
LOOP = """

def train(model):
    from torch.utils.data import DataLoader, TensorDataset

    x, y = data({shape})
    {change}
    loader = DataLoader(TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), {loader})
    loss_function = {loss}
    optimizer = {optimizer}
    for _ in range(9):
        for inputs, targets in loader:
            {zero}
            outputs = model(inputs)
            loss = loss_function(outputs, targets)
            loss.backward()
            {clip}
            optimizer.step()
"""
FIT = """

def train(model):
    x, y = data({shape})
    {change}
    model.compile({optimizer}, {loss})
    model.fit(x, y, batch_size={batch}, epochs=9, shuffle=False, verbose=0{more})
"""
TAPE = """

def train(model):
    import tensorflow as tf

    x, y = data({shape})
    {change}
    batches = {batches}
    optimizer = {optimizer}

    @tf.function
    def step(inputs, targets):
        with tf.GradientTape() as tape:
            loss = {loss}
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    for _ in range(9):
        for inputs, targets in batches:
            step(inputs, targets)
"""
SCCE = "keras.losses.SparseCategoricalCrossentropy(from_logits=True{more})"
BATCHES = "tf.data.Dataset.from_tensor_slices((x, y)).batch(8{more})"
SPARSE = "tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(inputs, training=True)))"


def loop(
    loader: str = "batch_size=8",
    loss: str = "nn.CrossEntropyLoss()",
    optimizer: str = "torch.optim.SGD(model.parameters(), 0.1)",
    change: str = "pass",
    zero: str = "optimizer.zero_grad()",
    clip: str = "pass",
    shape: str = "",
) -> str:
    """Return a loop in PyTorch."""
    return LOOP.format(loader=loader, loss=loss, optimizer=optimizer, change=change, zero=zero, clip=clip, shape=shape)


def fit(
    optimizer: str = "keras.optimizers.SGD(0.1)",
    loss: str = SCCE.format(more=""),
    change: str = "pass",
    batch: int = 8,
    more: str = "",
    shape: str = "",
) -> str:
    """Return a call of `model.fit`."""
    return FIT.format(optimizer=optimizer, loss=loss, change=change, batch=batch, more=more, shape=shape)


def tape(
    optimizer: str = "keras.optimizers.SGD(0.1)",
    loss: str = SPARSE,
    change: str = "pass",
    more: str = "",
    shape: str = "",
) -> str:
    """Return a loop over a tape."""
    batches = BATCHES.format(more=more)
    return TAPE.format(optimizer=optimizer, loss=loss, change=change, batches=batches, shape=shape)


def fitted(
    name: str,
    left: str,
    right: str,
    *causes: str,
    models: tuple[str, str] = (TORCH, KERAS),
    input: str = "12",
    also: tuple[str, ...] = (),
) -> Slip:
    """Return a small model in each framework, with its own training function."""
    return Slip(name, input, *models, causes, also, own=(DATA, DATA), fits=(left, right))


IMAGES = "shape=(2, 6, 6)"
LAST = "x = x.transpose(0, 2, 3, 1)"
FITS: tuple[Slip, ...] = (
    # Equal pairs.
    fitted("equal loops: fit", loop(), fit()),
    fitted("equal loops: a tape", loop(), tape()),
    fitted("equal loops: momentum and one-hot targets", loop(optimizer="torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)"), fit("keras.optimizers.SGD(0.1, momentum=0.9)", "keras.losses.CategoricalCrossentropy(from_logits=True)", "y = np.eye(5)[y]")),
    fitted("softmax in the model alone", loop(), fit(loss="'sparse_categorical_crossentropy'"), "softmax.present", models=(TORCH, SOFT)),
    fitted("equal loops: images", loop(shape=IMAGES), fit(shape=IMAGES, change=LAST), models=(CONV, KCONV.format(epsilon="1e-3")), input="2x6x6"),
    fitted("equal loops: the last batch left out", loop("batch_size=8, drop_last=True"), tape(more=", drop_remainder=True")),
    # Data.
    fitted("another order", loop(), fit(change="x, y = x[::-1], y[::-1]"), "data.order"),
    fitted("shuffled on one side", loop("batch_size=8, shuffle=True"), fit(), "data.order"),
    fitted("data scaled on one side", loop(), fit(change="x = x / 2"), "data.scaling"),
    fitted("every feature standardised", loop(), fit(change="x = (x - x.mean(0)) / x.std(0)"), "data.scaling"),
    fitted("channels normalised", loop(shape=IMAGES), fit(shape=IMAGES, change=f"{LAST}; x = (x - [0.5, 0.4]) / [0.2, 0.3]"), "data.scaling", models=(CONV, KCONV.format(epsilon="1e-3")), input="2x6x6"),
    fitted("last batch left out", loop("batch_size=8, drop_last=True"), fit(), "data.last_batch"),
    fitted("last batch left out on the other side", loop(), tape(more=", drop_remainder=True"), "data.last_batch"),
    fitted("another size of batches", loop(), fit(batch=4), "data.batch_size"),
    fitted("noise on one side", loop(), fit(change="x = x + 0.5 * np.random.default_rng(1).standard_normal(x.shape)"), "data.augmentation"),
    fitted("labels from 1", loop(), fit(change="y = (y + 1) % 5"), "data.labels"),
    # Processing of the data.
    fitted("another rate in a loop", loop(), fit("keras.optimizers.SGD(0.01)"), "optimizer.learning_rate"),
    fitted("another optimizer in a loop", loop(), fit("'adam'"), "optimizer.kind", also=("optimizer.learning_rate",)),
    fitted("summed loss in a loop", loop(), tape(loss=SPARSE.replace("reduce_mean", "reduce_sum")), "loss.reduction"),
    fitted("smoothed loss in a loop", loop(loss="nn.CrossEntropyLoss(label_smoothing=0.1)"), fit(), "loss.smoothing"),
    fitted("clipped in a loop", loop(clip="torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)"), fit(), "optimizer.clipping"),
    fitted("gradients never set to 0", loop(zero="pass"), fit(), "optimizer.zero_grad"),
    fitted("epsilon of a model in a loop", loop(shape=IMAGES), fit(shape=IMAGES, change=LAST), "batch_norm.epsilon", models=(CONV, KCONV.format(epsilon="1e-2")), input="2x6x6"),
    fitted("class weights in a loop", loop(loss="nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0]))"), fit(more=", class_weight={0: 1.0, 1: 2.0, 2: 1.0, 3: 1.0, 4: 1.0}"), "loss.reduction"),
    # Several at once.
    fitted("scaling, order and rate", loop(), fit("keras.optimizers.SGD(0.05)", change="x, y = x[::-1] / 4 + 1, y[::-1]"), "data.scaling", "data.order", "optimizer.learning_rate"),
    fitted("size of batches, loss and momentum", loop(optimizer="torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)"), fit(batch=16, loss=SCCE.format(more=", reduction='sum'")), "data.batch_size", "loss.reduction", "optimizer.momentum"),
)  # fmt: skip
