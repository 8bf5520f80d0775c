"""The line that fixes a cause in a recurrent layer or in attention."""

from compare.graphs.node import Node
from compare.port.counterpart import Want, Write
from compare.port.difference import shown

_TORCH = {"RNN": "nn.RNN", "GRU": "nn.GRU", "LSTM": "nn.LSTM"}
_KERAS = {"RNN": "keras.layers.SimpleRNN", "GRU": "keras.layers.GRU", "LSTM": "keras.layers.LSTM"}
STATE = ":h"  # suffix of the name of a state that PyTorch returns
_KERAS_NAMES = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid", "HardSigmoid": "hard_sigmoid", "Affine": "linear"}
_KERAS_NAMES |= {"Softsign": "softsign", "Selu": "selu", "Elu": "elu", "Swish": "silu", "Softplus": "softplus"}


def fix(cause: str, framework: str, want: Want) -> str:
    """Return the line for one side; "" if the cause is not about sequences."""
    table = TORCH if framework == "torch" else KERAS
    write = table.get(cause)
    return write(want) if write else ""


def moved(want: Want) -> str:
    """Return the line that moves a normalisation to its other place."""
    mine, theirs = want.mine, want.theirs
    if mine is None or theirs is None or mine.kind != theirs.kind or "Normalization" not in mine.kind:
        return ""
    return f"call {mine.name} where {theirs.name} is called: behind the counterpart of {', '.join(theirs.inputs)}"


def _name(node: Node | None) -> str:
    return node.name if node else "it"


def _layer(want: Want, torch: bool) -> str:
    node = want.mine or want.theirs
    return (_TORCH if torch else _KERAS).get(node.kind if node else "", want.my_layer or "the layer")


def _activation(torch: bool) -> Write:
    def write(want: Want) -> str:
        wanted = want.attribute("activations")
        if not isinstance(wanted, tuple) or want.theirs is None:
            return ""
        names = [_KERAS_NAMES.get(str(each), str(each)) for each in wanted]
        if not torch:
            gates = f', recurrent_activation="{names[0]}"' if len(names) > 1 else ""
            return f'{_layer(want, False)}(..., activation="{names[-1]}"{gates})'
        if want.theirs.kind == "RNN" and names[0] in ("tanh", "relu"):
            return f'nn.RNN(..., nonlinearity="{names[0]}")'
        return f"{_layer(want, True)} has sigmoid and tanh alone: write the steps with {', '.join(names)} yourself"

    return write


def _direction(torch: bool) -> Write:
    def write(want: Want) -> str:
        if want.mine is None or want.theirs is None:
            there = want.mine is None
            if torch:
                return f"{_layer(want, True)}(..., bidirectional={there})"
            layer = _layer(want, False)
            return f"keras.layers.Bidirectional({layer}(...))" if there else f"{layer}(...) without Bidirectional"
        back = want.attribute("direction") == "reverse"
        if torch:
            return f"x.flip(1) {'before' if back else 'no more before'} {_name(want.mine)}"
        return f"{_layer(want, False)}(..., go_backwards={back})"

    return write


def _sequences(torch: bool) -> Write:
    def write(want: Want) -> str:
        theirs = want.theirs
        if theirs is not None and theirs.kind == "Slice":
            at = theirs.attributes["starts"][0]
            if not torch and theirs.name.endswith(STATE):
                return "return_sequences=False in the last layer: the last step of each direction, as h_n has it"
            if torch:
                return f"take step {at} of the sequence: out[:, {at}] (h_n has the last step of each direction)"
            return f"return_sequences=True, and step {at} behind it: x[:, {at}]"
        if theirs is not None and "output" in theirs.attributes:
            return "take the state of the cells (c_n in PyTorch, the last of return_state=True in Keras)"
        if theirs is not None:
            return f"take of the sequence what {theirs.name} takes: {theirs.kind}"
        return f"take {_name(want.mine)} out, and use what the other side takes of the sequence"

    return write


def _bias(torch: bool) -> Write:
    def write(want: Want) -> str:
        if want.theirs is not None and want.mine is not None and set(want.mine.roles) == set(want.theirs.roles):
            return "the one bias is the sum of both: bias_ih + bias_hh (of a GRU's last gate they stay two)"
        there = want.theirs is not None and want.role in want.theirs.roles
        return f"{_layer(want, torch)}(..., {'bias' if torch else 'use_bias'}={there})"

    return write


def _reset(torch: bool) -> Write:
    def write(want: Want) -> str:
        if not torch:
            return f"keras.layers.GRU(..., reset_after={bool(want.attribute('linear_before_reset'))})"
        return "nn.GRU resets behind the product alone: use nn.GRUCell's formula with the reset before it"

    return write


def _batch_first(torch: bool) -> Write:
    def write(want: Want) -> str:
        if torch:
            there = want.mine is not None
            layer = "nn.MultiheadAttention" if _is_attention(want) else "nn.LSTM, nn.GRU or nn.RNN"
            return f"{layer}(..., batch_first={there})"
        return "keras.ops.transpose(x, (1, 0, 2)) around the layer, as the other side has the time first"

    return write


def _is_attention(want: Want) -> bool:
    node = want.mine or want.theirs
    return node is not None and "ttention" in node.layer


def _mask(torch: bool) -> Write:
    def write(want: Want) -> str:
        there = want.mine is None or (want.theirs is not None and "mask" in (want.theirs.attributes.get("takes") or ()))
        if torch:
            pack = "nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)"
            return f"{pack} before {_name(want.mine)}" if there else "call the layer without pack_padded_sequence"
        return f"keras.layers.Embedding(..., mask_zero={there})"

    return write


def _heads(torch: bool) -> Write:
    def write(want: Want) -> str:
        heads, layer = want.attribute("num_heads"), want.theirs
        if heads is None:
            return (
                "split heads by reshape to (N, T, H, D) and transpose to (N, H, T, D), and join them the same way back"
            )
        if torch:
            return f"nn.MultiheadAttention(embed_dim, {heads}), or {heads} heads where {_name(want.mine)} splits them"
        size = layer.shape[-1] // int(str(heads)) if layer else "?"
        return f"keras.layers.MultiHeadAttention(num_heads={heads}, key_dim={size})"

    return write


def _scale(want: Want) -> str:
    value = want.attribute("scale")
    root = f" (1 / sqrt({1 / value**2:.6g}))" if isinstance(value, float) and value > 0 and value != 1 else ""
    return f"multiply the scores of {_name(want.mine)} by {shown(value)}{root} in front of the softmax"


def _attention_mask(torch: bool) -> Write:
    def write(want: Want) -> str:
        theirs = want.theirs
        if theirs is None:
            return f"call the attention without the mask {_name(want.mine)}"
        if theirs.kind != "Attention":  # the mask that this side lacks
            return (
                "key_padding_mask=ids == padding for the attention"
                if torch
                else "keras.layers.Embedding(..., mask_zero=True), or attention_mask= of what is no padding"
            )
        if want.mine is not None and theirs.attributes["is_causal"] != want.mine.attributes.get("is_causal"):
            there = theirs.attributes["is_causal"]
            if torch:
                line = "attn_mask=nn.Transformer.generate_square_subsequent_mask(length), or is_causal=True"
                return line if there else f"no causal attn_mask for {_name(want.mine)}"
            return f"{_name(want.mine)}(..., use_causal_mask={there})"
        takes = shown(theirs.attributes.get("takes"))
        return f"masks of {takes} for {_name(want.mine)}" if takes != "()" else f"no mask for {_name(want.mine)}"

    return write


def _gates(want: Want) -> str:
    orders = "PyTorch has i, f, g, o and r, z, n; Keras i, f, c, o and z, r, h"
    return f"put the gates of {_name(want.mine)} into the order of its own framework: {orders}"


def _kind(torch: bool) -> Write:
    names = _TORCH if torch else _KERAS
    return lambda want: (
        f"{names[want.theirs.kind]} in place of {_name(want.mine)}" if want.theirs and want.theirs.kind in names else ""
    )


def _table(torch: bool) -> dict[str, Write]:
    return {
        "layer.order": moved,
        "rnn.activation": _activation(torch),
        "rnn.direction": _direction(torch),
        "rnn.sequences": _sequences(torch),
        "rnn.bias": _bias(torch),
        "rnn.reset_after": _reset(torch),
        "rnn.gates": _gates,
        "rnn.mask": _mask(torch),
        "rnn.kind": _kind(torch),
        "rnn.state": lambda want: f"first states for {_name(want.mine)}: {shown(want.attribute('takes'))}",
        "attention.heads": _heads(torch),
        "attention.scale": _scale,
        "attention.mask": _attention_mask(torch),
        "embedding.scale": lambda want: (
            f"multiply the embedding by {shown(want.attribute('scalar'))}, as {_name(want.theirs)} does"
            if want.theirs
            else f"leave out {_name(want.mine)}: the other side does not multiply its embedding"
        ),
        "position.encoding": lambda want: (
            f"the formula of {_name(want.theirs)}: sines and cosines take turns (interleaved) or stand in two halves, "
            "and the divisor is 10000 to the power of 2i / width"
        ),
        "sequence.batch_first": _batch_first(torch),
    }


TORCH = _table(True)
KERAS = _table(False)
