"""PyTorch's forms of the rows about the way from image files to batches.

torchvision and PIL take long to import, so the forms that need them do it.
"""

import io

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

from torch_impl.ledger.forms import aligned, both, own


@both("image-scale")
def to_tensor(image: np.ndarray) -> Tensor:
    from torchvision import transforms

    return transforms.ToTensor()(image.astype("uint8")).permute(1, 2, 0)


@own("image-scale-floats")
def to_tensor_of_floats(image: np.ndarray) -> Tensor:
    from torchvision import transforms

    return transforms.ToTensor()(image.astype("float64")).permute(1, 2, 0)


@aligned("image-scale-floats")
def to_tensor_of_bytes(image: np.ndarray) -> Tensor:
    from torchvision import transforms

    return transforms.ToTensor()(image.astype("uint8")).permute(1, 2, 0)


@both("image-normalisation")
def normalised(image: np.ndarray) -> Tensor:
    from torchvision import transforms

    normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return normalise(transforms.ToTensor()(image.astype("uint8"))).permute(1, 2, 0)


@both("image-resize-pil")
def resized(image: np.ndarray) -> np.ndarray:
    from PIL import Image
    from torchvision import transforms

    return np.array(transforms.Resize((4, 4))(Image.fromarray(image)))


@own("image-resize-load")
def loaded(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(file, "PNG")
    return np.array(Image.open(file).resize((4, 4)))


@aligned("image-resize-load")
def loaded_nearest(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(file, "PNG")
    return np.array(Image.open(file).resize((4, 4), Image.Resampling.NEAREST))


@own("image-resize-sides")
def resized_shorter_side(image: np.ndarray) -> Tensor:
    from torchvision import transforms

    return transforms.Resize(4)(torch.tensor(image).permute(2, 0, 1)).permute(1, 2, 0)


@aligned("image-resize-sides")
def resized_both_sides(image: np.ndarray) -> Tensor:
    from torchvision import transforms

    return transforms.Resize((4, 4), antialias=False)(torch.tensor(image).permute(2, 0, 1)).permute(1, 2, 0)


@both("image-jpeg")
def decoded(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(file, "JPEG")
    return np.array(Image.open(file))


@own("image-grey")
def grey(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(file, "PNG")
    return np.array(Image.open(file))


@aligned("image-grey")
def grey_as_colours(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(file, "PNG")
    return np.array(Image.open(file).convert("RGB"))


@own("image-orientation")
def photo(image: np.ndarray) -> np.ndarray:
    from PIL import ExifTags, Image

    file, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(image.astype("uint8")).save(file, "JPEG", exif=exif)
    return np.array(np.array(Image.open(file)).shape)


@aligned("image-orientation")
def photo_turned(image: np.ndarray) -> np.ndarray:
    from PIL import ExifTags, Image, ImageOps

    file, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(image.astype("uint8")).save(file, "JPEG", exif=exif)
    return np.array(np.array(ImageOps.exif_transpose(Image.open(file))).shape)


@both("image-flip")
def flipped(image: np.ndarray) -> np.ndarray:
    from torchvision import transforms

    torch.manual_seed(0)
    flip = transforms.RandomHorizontalFlip()
    return np.mean([flip(torch.tensor(image)[None])[0, 0, 0] == 1 for _ in range(64)])


@both("image-rotation")
def rotated(image: np.ndarray) -> Tensor:
    from torchvision import transforms

    return transforms.RandomRotation((30, 30))(torch.tensor(image)[None])[0]


@own("image-brightness")
def multiplied(image: np.ndarray) -> Tensor:
    from torchvision.transforms import functional

    return functional.adjust_brightness(torch.tensor(image).permute(2, 0, 1), 1.5).permute(1, 2, 0)


@aligned("image-brightness")
def added(image: np.ndarray) -> Tensor:
    return torch.tensor(image) + 0.5


@own("shuffle-buffer")
def shuffled(labels: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(torch.tensor(labels)), batch_size=16, shuffle=True)
    return next(iter(loader))[0].sum()


@aligned("shuffle-buffer")
def permuted(labels: np.ndarray) -> Tensor:
    order = np.random.default_rng(0).permutation(64)
    loader = DataLoader(Subset(TensorDataset(torch.tensor(labels)), order.tolist()), batch_size=16)
    return next(iter(loader))[0].sum()


@both("shuffle-default")
def epoch(x: np.ndarray, y: np.ndarray) -> Tensor:
    layer = nn.Linear(3, 1, bias=False)
    nn.init.zeros_(layer.weight)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    for images, targets in DataLoader(TensorDataset(torch.tensor(x), torch.tensor(y))):
        optimizer.zero_grad()
        F.mse_loss(layer(images), targets).backward()
        optimizer.step()
    return layer.weight.T


@own("last-batch")
def batch_sizes(x: np.ndarray) -> np.ndarray:
    return np.array([len(batch) for batch in DataLoader(torch.tensor(x), batch_size=4)])


@aligned("last-batch")
def batch_sizes_without_last(x: np.ndarray) -> np.ndarray:
    return np.array([len(batch) for batch in DataLoader(torch.tensor(x), batch_size=4, drop_last=True)])


@own("validation-split")
def drawn(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    _, validation = random_split(torch.tensor(x), [0.75, 0.25])
    return np.mean(list(validation))


@aligned("validation-split")
def last_quarter(x: np.ndarray) -> np.ndarray:
    validation = Subset(torch.tensor(x), range(12, 16))
    return np.mean(list(validation))
