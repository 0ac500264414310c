"""PNG and JPEG bytes as the patches of a model that sees: cut into squares, one position a square."""

import io
import warnings

import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.config import ModelConfig

from .refusal import Refusal

#: Larger images are refused before they are decoded.
MAX_PIXELS = 16 << 20


def read_image(
    data: bytes, kind: str, config: ModelConfig, place: tuple[str | int, ...]
) -> npt.NDArray[np.float32]:
    """Return [positions, patch_dim]: squares in reading order, RGB as -1..1, edges filled with 0."""
    from PIL import Image, UnidentifiedImageError

    side = int((config.patch_dim // 3) ** 0.5)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                width, height = image.size
                if width * height > MAX_PIXELS or -(-width // side) * -(-height // side) > config.max_context:
                    raise Refusal(400, f"an image of {width} x {height} is too large", field=place)
                pixels = np.asarray(image.convert("RGB"), np.float32) / np.float32(127.5) - np.float32(1)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise Refusal(400, f"is not a {kind} image that is taken here", field=(*place, "data")) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refusal(400, f"is not a readable {kind} image", field=(*place, "data")) from error
    rows, columns = -(-height // side), -(-width // side)
    padded = np.zeros((rows * side, columns * side, 3), np.float32)
    padded[:height, :width] = pixels
    patches = padded.reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    return np.ascontiguousarray(patches.reshape(rows * columns, config.patch_dim))
