"""Users' descriptions lead to the rows behind them."""

import pytest

from compare.commands import parity_ledger
from compare.options.parity import ParityOptions
from compare.parity.ledger.search import search, stems
from compare.reporting.screen import PLAIN, Screen
from shared.errors import InputError
from shared.ledger import ROWS, SYMPTOMS


# Each has the shortened words of a user who asked in public, and a row that answers them.
@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("validation loss much worse than training loss right after porting", "batchnorm-momentum"),
        ("val_loss is way higher than train loss since I moved to keras", "batchnorm-momentum"),
        ("outputs are off by about 1e-3, everything else identical", "batchnorm-epsilon"),
        ("model.eval() gives bad accuracy but train mode is fine", "batchnorm-called"),
        ("feature map is one pixel bigger after the transposed convolution", "transposed-size"),
        ("LSTM outputs differ after copying weights", "lstm-biases"),
        ("GRU results do not match", "gru-gates"),
        ("learning rate drops one epoch too early with ReduceLROnPlateau", "plateau-patience"),
        ("segmentation mask is shifted at the borders after upsampling", "resize-corners"),
        ("predictions on my own jpg photos are wrong although test accuracy is high", "image-scale"),
        ("gradient clipping behaves differently", "clip-norm"),
        ("fine tuning a frozen pretrained network gets worse", "batchnorm-frozen"),
        ("set_weights fails with shape mismatch for Dense kernel", "dense-layout"),
        ("different loss with class weights", "class-weights"),
        ("AUC is different from sklearn", "auc"),
        ("avg pooling gives other values at the edges", "average-pool-border"),
        ("batch of size 1 crashes in pytorch but works in keras", "batchnorm-one"),
        ("weight decay has a much stronger effect in one framework", "adam-weight-decay"),
        ("results not reproducible even with seed", "random-seeds"),
    ],
)
def test_what_people_see_leads_to_the_row(text: str, row: str) -> None:
    assert row in [found.name for found in search(text).rows]


@pytest.mark.parametrize("name", SYMPTOMS)
def test_a_symptom_in_its_own_words_is_found(name: str) -> None:
    found = search(SYMPTOMS[name].sentence)
    assert found.symptoms[0] == name
    assert any(name in row.symptoms for row in found.rows)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.differs])
def test_a_row_is_found_by_its_own_question(name: str) -> None:
    assert name in [row.name for row in search(ROWS[name].question).rows]


def test_terms_of_two_words_are_one() -> None:
    assert stems("Batch Norm") == stems("batchnorm") == stems("BatchNormalization") == stems("batch normalisation")
    assert stems("my learning rate") == stems("the lr") == ["rate"]


def test_words_that_say_nothing_find_nothing() -> None:
    assert search("xyzzy").rows == search("").rows == search("my model in keras").rows == ()


def test_the_command_says_what_it_found_and_how_to_see_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert parity_ledger.command(ParityOptions(symptom="outputs differ in the fourth digit, batch norm"), PLAIN) == 0
    said = capsys.readouterr().out
    assert "batchnorm-epsilon: " in said
    assert "python -m compare parity --ledger --row batchnorm-epsilon" in said


def test_the_command_gives_names_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert parity_ledger.command(ParityOptions(symptom="LSTM gates"), Screen(as_json=True)) == 0
    assert '"row": "lstm-' in capsys.readouterr().out


@pytest.mark.parametrize("options", [{"symptom": "xyzzy"}, {"symptom": "nan", "row": ("tf32",)}])
def test_a_search_that_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match="--symptom"):
        parity_ledger.command(ParityOptions(**options), PLAIN)  # type: ignore[arg-type]
