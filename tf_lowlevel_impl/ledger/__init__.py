"""Raw TensorFlow's forms of the ledger's rows (shared/ledger): where it differs from Keras."""

from tf_lowlevel_impl.ledger import losses, normalisation  # noqa: F401  # importing a group registers its forms
from tf_lowlevel_impl.ledger.forms import FORMS as LEDGER

__all__ = ["LEDGER"]
