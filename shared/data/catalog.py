"""The data sets that are known by name: their files, where they are fetched from, and how they are recognised.

Files lie as torchvision lays them out, so its folders work here and what is fetched here works there.
"""

from shared.data.cifar import CifarDataset, CifarFile
from shared.data.dataset import Dataset
from shared.data.idx import IdxDataset, IdxFile


def _idx_files(*sha256: str) -> tuple[IdxFile, IdxFile, IdxFile, IdxFile]:
    x_train, y_train, x_test, y_test = sha256
    return (
        IdxFile("train-images-idx3-ubyte", (60_000, 28, 28), x_train),
        IdxFile("train-labels-idx1-ubyte", (60_000,), y_train),
        IdxFile("t10k-images-idx3-ubyte", (10_000, 28, 28), x_test),
        IdxFile("t10k-labels-idx1-ubyte", (10_000,), y_test),
    )


MNIST = IdxDataset(
    "mnist",
    "MNIST",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    *_idx_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)

FASHION_MNIST = IdxDataset(
    "fashion_mnist",
    "FashionMNIST",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
    *_idx_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)

# The MD5s, like the address, are those of torchvision (torchvision/datasets/cifar.py). No other hashes are published.
CIFAR10 = CifarDataset(
    "cifar10",
    "cifar-10-batches-py",
    ("https://www.cs.toronto.edu/~kriz/",),
    archive="cifar-10-python.tar.gz",
    n_images=10_000,
    train=(
        CifarFile("data_batch_1", "c99cafc152244af753f735de768cd75f"),
        CifarFile("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        CifarFile("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        CifarFile("data_batch_4", "634d18415352ddfa80567beed471001a"),
        CifarFile("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
    ),
    test=(CifarFile("test_batch", "40351d587109b95175f43aff81a1287e"),),
    meta=CifarFile("batches.meta", "5ff9c542aee3614f3951f8cda6e48888"),
)

DATASETS: dict[str, Dataset] = {d.name: d for d in (MNIST, FASHION_MNIST, CIFAR10)}

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


def class_names(dataset: str, n_classes: int, own: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The names of the `n_classes` classes of a network: the data's `own` ones, else those that are known of `dataset`,
    else their numbers. An output for which the data have no class is named so."""
    names = own or CLASS_NAMES.get(dataset) or tuple(str(number) for number in range(n_classes))
    return names[:n_classes] + tuple(f"(no class {number})" for number in range(len(names), n_classes))
