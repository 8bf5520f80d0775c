"""What the classes of a data set are called."""

DIGITS = tuple("0123456789")
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "digits": DIGITS,
    "mnist": DIGITS,
    "fashion_mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}


def class_names(dataset: str, n_classes: int) -> tuple[str, ...]:
    """The names of the classes of `dataset`, their numbers where it has no names."""
    return CLASS_NAMES.get(dataset, tuple(str(number) for number in range(n_classes)))
