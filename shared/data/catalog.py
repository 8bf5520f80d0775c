"""The data sets with names: their files, their sources, and how they are recognised.

Files have torchvision's layout: its folders work here, and what is fetched here works there.
"""

import string

from shared.data.cifar import CifarDataset, CifarFile
from shared.data.dataset import Dataset
from shared.data.idx import IdxDataset, IdxFile
from shared.data.published_idx import PublishedIdx, Zipped


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

DIGITS = tuple("0123456789")

# The addresses and MD5s of these are those of torchvision (torchvision/datasets/mnist.py).
KMNIST = PublishedIdx(
    "kmnist",
    "KMNIST",
    ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    md5={
        "train-images-idx3-ubyte": "bdb82020997e1d708af4cf47b453dcf7",
        "train-labels-idx1-ubyte": "e144d726b3acfaa3e44228e80efcd344",
        "t10k-images-idx3-ubyte": "5c965bf0a639b31b8f53240b1b52f4d7",
        "t10k-labels-idx1-ubyte": "7320c461ea6c1c855c0b718fb2a4b134",
    },
)

QMNIST = PublishedIdx(
    "qmnist",
    "QMNIST",
    ("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
    (
        *("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
        *("qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"),
    ),
    DIGITS,
    md5={
        "qmnist-train-images-idx3-ubyte": "ed72d4157d28c017586c42bc6afe6370",
        "qmnist-train-labels-idx2-int": "0058f8dd561b90ffdd0f734c6a30e5e4",
        "qmnist-test-images-idx3-ubyte": "1394631089c404de565df7b7aeaf9412",
        "qmnist-test-labels-idx2-int": "5b5b05890a5e13444e108efe57b788aa",
    },
)

_MERGED = set("cijklmopsuvwxyz")  # lower-case letters that share the class of their capitals
_LETTERS = tuple(string.ascii_uppercase + string.ascii_lowercase)
_EMNIST_CLASSES = {
    "byclass": (*DIGITS, *_LETTERS),
    "bymerge": (*DIGITS, *(letter for letter in _LETTERS if letter not in _MERGED)),
    "balanced": (*DIGITS, *(letter for letter in _LETTERS if letter not in _MERGED)),
    "letters": tuple(string.ascii_lowercase),
    "digits": DIGITS,
    "mnist": DIGITS,
}


def _emnist_files(split: str) -> tuple[str, str, str, str]:
    train, test = f"emnist-{split}-train", f"emnist-{split}-test"
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    return (f"{train}-{kinds[0]}", f"{train}-{kinds[1]}", f"{test}-{kinds[0]}", f"{test}-{kinds[1]}")


EMNIST_ARCHIVE = Zipped(
    "gzip.zip",
    "58c8d27c78d21e728a6bc7b3cc06412e",
    "gzip",
    tuple(name for split in _EMNIST_CLASSES for name in _emnist_files(split)),
)
EMNIST = tuple(
    PublishedIdx(
        f"emnist_{split}",
        "EMNIST",
        (
            "https://biometrics.nist.gov/cs_links/EMNIST/",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
        ),
        _emnist_files(split),
        classes,
        zipped=EMNIST_ARCHIVE,
        turned=True,
        first_label=1 if split == "letters" else 0,
    )
    for split, classes in _EMNIST_CLASSES.items()
)

_ALL: tuple[Dataset, ...] = (MNIST, FASHION_MNIST, CIFAR10, KMNIST, QMNIST, *EMNIST)
DATASETS = {dataset.name: dataset for dataset in _ALL}

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
    """Return the names of a network's `n_classes` classes: the data's `own` ones, else those that are known of
    `dataset`, else their numbers. An output without a class in the data is "(no class N)"."""
    names = own or CLASS_NAMES.get(dataset) or tuple(str(number) for number in range(n_classes))
    return names[:n_classes] + tuple(f"(no class {number})" for number in range(len(names), n_classes))
