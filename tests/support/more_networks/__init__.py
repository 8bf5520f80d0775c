"""Three networks that no command trains, each in three modules beside this one.

One has global average pooling, one a flatten after a dense layer, one no dense layer at all. No two have a layer name
in common.
"""

from shared.models import LayerSpec, ModelSpec, ParamSpec

POOLED = ModelSpec(
    name="pooled",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        ParamSpec("stem/kernel", (3, 3, 1, 8), "glorot_uniform"),
        ParamSpec("stem/bias", (8,), "zeros"),
        ParamSpec("head/kernel", (8, 10), "glorot_uniform"),
        ParamSpec("head/bias", (10,), "zeros"),
    ),
    layers=(
        LayerSpec("stem", (28, 28, 8), flops=112_896),
        LayerSpec("mean", (8,)),
        LayerSpec("head", (10,), flops=160),
    ),
    n_params=170,
    n_trainable=170,
    flops=113_056,
)

FLATTEN_BEHIND_DENSE = ModelSpec(
    name="flatten_behind_dense",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        ParamSpec("mix/kernel", (1, 3), "glorot_uniform"),
        ParamSpec("mix/bias", (3,), "zeros"),
        ParamSpec("head/kernel", (588, 10), "glorot_uniform", flattened=(14, 14, 3)),
        ParamSpec("head/bias", (10,), "zeros"),
    ),
    layers=(
        LayerSpec("mix", (28, 28, 3), flops=4_704),
        LayerSpec("half", (14, 14, 3)),
        LayerSpec("row", (588,), flattened=(14, 14, 3)),
        LayerSpec("head", (10,), flops=11_760),
    ),
    n_params=5_896,
    n_trainable=5_896,
    flops=16_464,
)

NO_DENSE = ModelSpec(
    name="no_dense",
    input_shape=(28, 28, 1),
    n_classes=10,
    parameters=(
        ParamSpec("stem/kernel", (3, 3, 1, 6), "glorot_uniform"),
        ParamSpec("stem/bias", (6,), "zeros"),
        ParamSpec("votes/kernel", (1, 1, 6, 10), "glorot_uniform"),
        ParamSpec("votes/bias", (10,), "zeros"),
    ),
    layers=(
        LayerSpec("stem", (26, 26, 6), flops=73_008),
        LayerSpec("votes", (26, 26, 10), flops=81_120),
        LayerSpec("mean", (10,)),
    ),
    n_params=130,
    n_trainable=130,
    flops=154_128,
)

MORE = {spec.name: spec for spec in (POOLED, FLATTEN_BEHIND_DENSE, NO_DENSE)}
LAYERS = {
    "pooled": [("conv3x3_same_relu", "stem"), ("global_mean", "mean"), ("dense", "head")],
    "flatten_behind_dense": [("dense_relu", "mix"), ("pool2", "half"), ("flatten", "row"), ("dense", "head")],
    "no_dense": [("conv3x3_valid_relu", "stem"), ("dense", "votes"), ("global_mean", "mean")],
}
