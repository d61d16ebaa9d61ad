"""Draw the pictures of the page on images: ``python doc/make_image_pictures.py``.

They are those of ``examples/images/plot_image_compression.py``, which is run and its
figures written to files.
"""

import runpy
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "images" / "plot_image_compression.py"
NAMES = ("image_indices", "image_terms", "image_psnr_terms", "image_psnr_bytes")


def main():
    """Run the example, whose figures are written in place of being shown."""
    left = list(NAMES)

    def write():
        path = HERE / "images" / f"{left.pop(0)}.png"
        plt.savefig(path, dpi=80)
        plt.close()
        print(path)

    plt.show = write
    runpy.run_path(str(EXAMPLE))


if __name__ == "__main__":
    main()
