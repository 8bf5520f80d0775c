"""What is asked of a comparison besides both models' outputs: a loss and its gradients."""

from dataclasses import dataclass

from compare.adapters.loss_names import COMPILED, NAMES
from compare.adapters.references import BadReference, parse
from shared.errors import InputError


@dataclass(frozen=True)
class Wanted:
    """A loss by its name, or by a reference on either side. What is empty is that of a compiled model."""

    loss: str = ""
    left_loss: str = ""
    right_loss: str = ""

    @property
    def anything(self) -> bool:
        """Whether anything is asked."""
        return self != Wanted()

    def check(self) -> None:
        """Raise InputError unless the names are known and the references can be some; nothing is imported."""
        if self.loss not in ("", COMPILED, *NAMES):
            raise InputError(f"There is no loss {self.loss!r}. Choose one of {', '.join((*NAMES, COMPILED))}.")
        for side, text in (("left", self.left_loss), ("right", self.right_loss)):
            if not text:
                continue
            try:
                path = parse(text).path
            except BadReference as error:
                raise InputError(f"The loss of the {side} model: {error}") from None
            if path is not None:
                raise InputError(f"--{side}-loss {text} is a saved model. Give FILE.py:NAME or package.module:NAME.")

    @property
    def losses(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The name and the reference of the loss of the left and of the right model."""
        left, right = self.left_loss, self.right_loss
        name = "" if self.loss == COMPILED else self.loss
        return ("" if left else name, left), ("" if right else name, right)


NOTHING = Wanted()
