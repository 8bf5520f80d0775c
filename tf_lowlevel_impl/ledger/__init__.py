"""Raw TensorFlow's answers to the ledger's rows (shared/ledger) that differ from Keras's."""

from tf_lowlevel_impl.ledger import losses, normalisation  # noqa: F401  # importing a group registers its forms
from tf_lowlevel_impl.ledger.forms import FORMS as LEDGER

__all__ = ["LEDGER"]
