"""What a comparison includes besides both models' outputs: a loss and its gradients, optimizers, and training."""

from dataclasses import dataclass
from typing import get_args

from compare.adapters.loss_names import COMPILED, NAMES, SEEN
from compare.adapters.references import BadReference, parse
from compare.graphs.optimizers import OptimizerName
from shared.errors import InputError

OPTIMIZERS = get_args(OptimizerName)
FEW_STEPS, FIT_STEPS, MOST_STEPS = 5, 10, 1000  # steps of optimizers alone, of training functions, and at most


@dataclass(frozen=True)
class Wanted:
    """A loss and an optimizer, by name or by a reference on each side. An empty one is taken from a compiled model.
    `steps` is how many steps both are trained for, 0 for none. `left_fit` and `right_fit` are training functions,
    whose losses and optimizers are used."""

    loss: str = ""
    left_loss: str = ""
    right_loss: str = ""
    optimizer: str = ""
    left_optimizer: str = ""
    right_optimizer: str = ""
    steps: int = 0
    left_fit: str = ""
    right_fit: str = ""

    @property
    def fits(self) -> bool:
        """Whether training functions are compared."""
        return bool(self.left_fit)

    @property
    def anything(self) -> bool:
        """Whether anything besides the outputs is compared."""
        return self != Wanted()

    @property
    def trains(self) -> bool:
        """Whether optimizers are compared."""
        return bool(self.fits or self.steps or self.optimizer or self.left_optimizer or self.right_optimizer)

    @property
    def n_steps(self) -> int:
        """The number of steps for which optimizers are compared."""
        return self.steps or (FIT_STEPS if self.fits else FEW_STEPS)

    def check(self) -> None:
        """Raise InputError unless the names are known and the references are well formed; nothing is imported."""
        if self.loss not in ("", COMPILED, *NAMES):
            raise InputError(f"There is no loss {self.loss!r}. Choose one of {', '.join((*NAMES, COMPILED))}.")
        if self.optimizer and self.optimizer not in OPTIMIZERS:
            raise InputError(f"There is no optimizer {self.optimizer!r}. Choose one of {', '.join(OPTIMIZERS)}.")
        if not 0 <= self.steps <= MOST_STEPS:
            raise InputError(f"The steps of training must be from 1 to {MOST_STEPS}, and not {self.steps}.")
        if bool(self.left_fit) != bool(self.right_fit):
            raise InputError("--fit compares two training functions. Give it both: --fit left.py:train right.py:train.")
        if self.fits and self != Wanted(left_fit=self.left_fit, right_fit=self.right_fit, steps=self.steps):
            raise InputError("--fit takes the losses and optimizers of the training functions. Leave the others out.")
        references = [("left", "fit", self.left_fit), ("right", "fit", self.right_fit)]
        references += [("left", "loss", self.left_loss), ("right", "loss", self.right_loss)]
        references += [("left", "optimizer", self.left_optimizer), ("right", "optimizer", self.right_optimizer)]
        for side, what, text in references:
            if not text:
                continue
            try:
                path = parse(text).path
            except BadReference as error:
                raise InputError(f"The {what} of the {side} model: {error}") from None
            if path is not None:
                raise InputError(f"--{side}-{what} {text} is a saved model. Give FILE.py:NAME or package.module:NAME.")

    @property
    def losses(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The name and the reference of the loss of the left and of the right model."""
        left, right = self.left_loss, self.right_loss
        name = "" if self.loss == COMPILED else self.loss
        return ("" if left else name, left), ("" if right else name, right)

    @property
    def optimizers(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The name and the reference of the optimizer of the left and of the right model."""
        if self.fits:
            return (SEEN, ""), (SEEN, "")
        left, right = self.left_optimizer, self.right_optimizer
        return ("" if left else self.optimizer, left), ("" if right else self.optimizer, right)


NOTHING = Wanted()
