"""A picture file is read as a person sees it, or refused in one paragraph."""

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzing import bounded
from PIL import Image, ImageDraw

from compare.folders.picture_file import read_picture
from shared.errors import InputError

GREY, COLOUR = (28, 28, 1), (32, 32, 3)
CLOSE = 0.02  # JPEG changes greys by some hundredths
ORIENTATION = 0x0112
# How a camera stores an upright picture for each orientation: the inverse of a viewer's operation.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def seven(ink: int = 0, paper: int = 255) -> Image.Image:
    """Return a grey 7, which every turn and reflection changes."""
    image = Image.new("L", (112, 112), paper)
    ImageDraw.Draw(image).line([(30, 32), (30, 20), (80, 20), (50, 95)], fill=ink, width=9)
    return image


def coverage() -> Image.Image:
    """Return the coverage of the 7: 255 on its strokes, 0 beside them."""
    return seven(ink=255, paper=0)


def read(picture: Image.Image, path: Path, shape: tuple[int, int, int] = GREY, **options: Any) -> np.ndarray:
    picture.save(path, **options)
    return read_picture(path, shape)[0]


def drawn_on_nothing(*colour: int) -> Image.Image:
    """Return the 7 in one colour on a transparent ground of the same colour."""
    picture = Image.new("RGB", (112, 112), colour)
    picture.putalpha(coverage())
    return picture


def png(depth: int, colour_type: int, rows: list[bytes], width: int, key: bytes | None = None) -> bytes:
    """Return a PNG file of pixels that Pillow does not write. `key` is its transparent colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    transparent = chunk(b"tRNS", key) if key is not None else b""
    content = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + transparent + chunk(b"IDAT", content) + chunk(b"IEND", b"")


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_read_upright(
    orientation: int, suffix: str, shape: tuple[int, int, int], tmp_path: Path
) -> None:
    upright = read(seven(), tmp_path / "upright.png", shape)
    stored = seven().transpose(STORED[orientation]) if orientation in STORED else seven()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options: dict[str, Any] = {"lossless": True} if suffix == "webp" else {"quality": 95} if suffix == "jpg" else {}
    seen = read(stored, tmp_path / f"phone.{suffix}", shape, exif=exif, **options)
    np.testing.assert_allclose(seen, upright, atol=CLOSE)


def test_damaged_exif_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The EXIF data of .*odd\.png are damaged, so it is unclear which side is up"):
        read(seven(), tmp_path / "odd.png", exif=b"Exif\0\0no header of a TIFF file")


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("greys", [(0, 255), (12, 214), (200, 90)])
def test_16_bits_are_read_as_8(greys: tuple[int, int], shape: tuple[int, int, int], tmp_path: Path) -> None:
    picture = seven(*greys)
    deep = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    np.testing.assert_array_equal(read(deep, tmp_path / "16.png", shape), read(picture, tmp_path / "8.png", shape))


def test_a_transparent_grey_of_16_bits_is_transparent(tmp_path: Path) -> None:
    pixels = np.asarray(seven(ink=255, paper=200)).astype(">u2") * 257  # white ink; the paper is transparent
    rows = [row.astype(">u2").tobytes() for row in pixels]
    (tmp_path / "16.png").write_bytes(png(16, 0, rows, 112, struct.pack(">H", 200 * 257)))
    seen, negative = read_picture(tmp_path / "16.png", COLOUR)
    np.testing.assert_array_equal(seen, read(drawn_on_nothing(255, 255, 255), tmp_path / "white.png", COLOUR))
    assert not negative


def test_a_transparent_colour_of_16_bits_is_transparent(tmp_path: Path) -> None:
    ink = np.asarray(coverage())[..., None] > 0
    pixels = np.where(ink, [0xFFFF] * 3, [0x1234] * 3).astype(">u2")
    (tmp_path / "16.png").write_bytes(
        png(16, 2, [row.tobytes() for row in pixels], 112, struct.pack(">3H", *[0x1234] * 3))
    )
    np.testing.assert_array_equal(
        read_picture(tmp_path / "16.png", COLOUR)[0], read(drawn_on_nothing(255, 255, 255), tmp_path / "8.png", COLOUR)
    )


def test_a_transparent_grey_of_2_bits_is_transparent(tmp_path: Path) -> None:
    """The ink is 3 (white). The paper is 1, a dark grey, and transparent."""
    ink = np.asarray(coverage()) > 0
    values = np.where(ink, 3, 1).reshape(112, 28, 4)
    rows = [(row @ [64, 16, 4, 1]).astype(np.uint8).tobytes() for row in values]
    (tmp_path / "2.png").write_bytes(png(2, 0, rows, 112, struct.pack(">H", 1)))
    np.testing.assert_array_equal(
        read_picture(tmp_path / "2.png", COLOUR)[0], read(drawn_on_nothing(255, 255, 255), tmp_path / "8.png", COLOUR)
    )


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA"])
def test_every_mode_of_a_png_is_read_alike(mode: str, tmp_path: Path) -> None:
    for shape in (GREY, COLOUR):
        grey = read(seven(), tmp_path / "grey.png", shape)
        np.testing.assert_array_equal(read(seven().convert(mode), tmp_path / "mode.png", shape), grey)


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_cmyk(shape: tuple[int, int, int], tmp_path: Path) -> None:
    """A red 7 on white paper, in printers' colours."""
    picture = Image.composite(
        Image.new("RGB", (112, 112), (220, 0, 0)), Image.new("RGB", (112, 112), "white"), coverage()
    )
    seen = read(picture.convert("CMYK"), tmp_path / "print.jpg", shape, quality=100, subsampling=0)
    np.testing.assert_allclose(seen, read(picture, tmp_path / "screen.png", shape), atol=CLOSE)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 0, 0), (255, 255, 0), (200, 200, 200)])
def test_ink_on_a_transparent_ground_is_seen(colour: tuple[int, int, int], tmp_path: Path) -> None:
    seen = read(drawn_on_nothing(*colour), tmp_path / "ink.png")
    np.testing.assert_allclose(seen, read(seven(), tmp_path / "paper.png"), atol=1e-6)
    coloured = read(drawn_on_nothing(*colour), tmp_path / "ink.png", COLOUR)
    light = 255 if sum(colour) < 3 * 150 else 0  # white or black, whichever shows it
    np.testing.assert_array_equal(coloured[0, 0] * 255, [light] * 3)
    assert np.abs(coloured * 255 - colour).max(axis=-1).min() < 1  # in its own colour


@pytest.mark.parametrize("suffix", ["png", "gif"])
@pytest.mark.parametrize("white", [True, False])
def test_a_transparent_colour_of_a_palette(white: bool, suffix: str, tmp_path: Path) -> None:
    picture = Image.fromarray((np.asarray(coverage()) > 0).astype(np.uint8)).convert("P")
    picture.putpalette([128, 128, 128, *[255 if white else 0] * 3])
    seen = read(picture, tmp_path / f"palette.{suffix}", transparency=0)
    np.testing.assert_allclose(seen, read(seven(), tmp_path / "paper.png"), atol=1e-6)


def test_a_hole_in_white_paper_is_ink(tmp_path: Path) -> None:
    stencil = Image.new("RGB", (112, 112), "white")
    stencil.putalpha(seven())
    np.testing.assert_allclose(read(stencil, tmp_path / "hole.png"), read(seven(), tmp_path / "ink.png"), atol=1e-6)


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (230, 60), (40, 200)])
def test_a_sheet_in_a_transparent_margin_goes_on_in_its_colour(ink: int, paper: int, tmp_path: Path) -> None:
    sheet = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    sheet.paste(seven(ink, paper).convert("RGBA"), (24, 24))
    whole = Image.new("L", (160, 160), paper)
    whole.paste(seven(ink, paper), (24, 24))
    for shape in (GREY, COLOUR):
        np.testing.assert_allclose(
            read(sheet, tmp_path / "sheet.png", shape), read(whole, tmp_path / "whole.png", shape), atol=1e-6
        )


EMPTY = {
    "white": Image.new("L", (28, 28), 255),
    "black": Image.new("1", (28, 28), 0),
    "grey": Image.new("RGB", (50, 20), (90, 90, 90)),
    "one pixel": Image.new("L", (1, 1), 7),
    "transparent": drawn_on_nothing(10, 20, 30).crop((0, 100, 28, 112)),
    "16 bits": Image.fromarray(np.full((28, 28), 30_000, np.uint16)),
}


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_page_is_refused(name: str, shape: tuple[int, int, int], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"page\.png is empty: nothing on it differs clearly from its background"):
        read(EMPTY[name], tmp_path / "page.png", shape)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_several_pictures_in_a_file_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"film.{suffix}"
    with pytest.raises(InputError, match=r"film\.\w+ is animated, and it is unclear which of its pictures"):
        read(seven(), path, save_all=True, append_images=[seven().rotate(90)])
    np.testing.assert_allclose(
        read(seven(), path, save_all=True), read(seven(), tmp_path / "one.png"), atol=CLOSE
    )  # size of one picture


def test_of_a_phone_with_a_preview_the_photograph_is_read(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    seen = read(seven(), path, format="MPO", save_all=True, append_images=[seven().rotate(90)], quality=95)
    with Image.open(path) as picture:
        assert picture.n_frames == 2
    np.testing.assert_allclose(seen, read(seven(), tmp_path / "one.png"), atol=CLOSE)


@pytest.mark.parametrize("mode", ["I", "F", "I;16"])
def test_a_format_without_a_white_of_its_own_is_refused(mode: str, tmp_path: Path) -> None:
    """TIFF has 32-bit and floating-point pixels, and programs differ in what is white."""
    picture = Image.fromarray(np.asarray(seven()).astype({"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode]))
    assert picture.mode == mode
    with pytest.raises(InputError, match=r"deep\.tif cannot be read as a picture: it is neither PNG, .* nor WEBP"):
        read(picture, tmp_path / "deep.tif", save_all=True, append_images=[picture])


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "webp"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(suffix: str, part: float, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(InputError, match=rf"cut\.{suffix} cannot be read as a picture") as caught:
        read_picture(path, GREY)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", [9_000, 12_000, 20_000])
def test_a_picture_that_unpacks_to_gigabytes_is_refused(side: int, tmp_path: Path) -> None:
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    with bounded(), pytest.raises(InputError, match=r"bomb\.png has more than 50,000,000 pixels\. Give a smaller"):
        read_picture(tmp_path / "bomb.png", GREY)


def dark_on_light(tmp_path: Path) -> Path:
    """Return a PNG of white paper with a black bar down the middle."""
    image = Image.new("RGB", (200, 300), "white")
    image.paste("black", (90, 60, 110, 240))
    path = tmp_path / "bar.png"
    image.save(path)
    return path


def test_a_picture_becomes_an_image_as_mnist_has_them(tmp_path: Path) -> None:
    image, negative = read_picture(dark_on_light(tmp_path), (28, 28, 1))
    assert (image.shape, image.dtype, negative) == ((28, 28, 1), np.float32, True)
    assert image[0].max() == image[:, 0].max() == 0  # the paper is dark now, also beside the picture
    assert image[14, 12:16].max() > 0.8
    assert abs(image[..., 0].sum(axis=0).argmax() - 13.5) < 1.5  # in the middle
    colour, negative = read_picture(dark_on_light(tmp_path), (32, 32, 3))
    assert (colour.shape, negative) == ((32, 32, 3), False)
    assert colour[0].min() == 1


def test_light_on_dark_stays_so(tmp_path: Path) -> None:
    image = Image.new("L", (28, 28), 0)
    image.paste(255, (10, 4, 18, 24))
    image.save(tmp_path / "light.png")
    seen, negative = read_picture(tmp_path / "light.png", (28, 28, 1))
    assert not negative
    np.testing.assert_array_equal(seen[..., 0], np.asarray(image, np.float32) / 255)


def test_transparent_paper_is_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (40, 20, 60, 80))
    image.save(tmp_path / "clear.png")
    seen, negative = read_picture(tmp_path / "clear.png", (28, 28, 1))
    assert negative
    assert seen[0, 0, 0] == 0
    assert seen[14, 14, 0] == 1


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.png cannot be read as a picture"):
        read_picture(path, (28, 28, 1))


def test_a_cut_picture_and_one_that_is_not_there(tmp_path: Path) -> None:
    path = dark_on_light(tmp_path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(InputError, match="cannot be read as a picture"):
        read_picture(path, (28, 28, 1))
    with pytest.raises(InputError, match="No such file"):
        read_picture(tmp_path / "none.png", (28, 28, 1))


def test_a_line_of_pixels_does_not_become_a_square_of_its_length(tmp_path: Path) -> None:
    line = Image.new("1", (49_000_000, 1))
    line.paste(1, (20_000_000, 0, 30_000_000, 1))
    line.save(tmp_path / "wide.png")
    with bounded():
        image, _ = read_picture(tmp_path / "wide.png", (28, 28, 1))
    assert image.shape == (28, 28, 1)


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="is not a file"):
        read_picture(tmp_path / "pipe.png", (28, 28, 1))
