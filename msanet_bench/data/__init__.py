"""Images for training and testing: named data sets, a seed's split, preprocessing, augmentation, batches."""

from msanet_bench.data import cifar10, controls, digits, fake, fashion_mnist, image_folder
from msanet_bench.data.augment import augment_batch
from msanet_bench.data.batches import Batch, Source, StreamSource, TensorSource
from msanet_bench.data.cache import read_image
from msanet_bench.data.dataset import Dataset, Part, assemble, unmapped
from msanet_bench.data.image_folder import cache_bytes
from msanet_bench.data.prepared import PreparedData, prepare_all, prepare_test
from msanet_bench.data.preprocess import Preprocessing, prepare
from msanet_bench.data.registry import DATASETS, load
from msanet_bench.data.splits import Split, num_training_images, split

# the modules are named because importing them is what registers their data sets
__all__ = [
    "DATASETS",
    "Batch",
    "Dataset",
    "Part",
    "PreparedData",
    "Preprocessing",
    "Source",
    "Split",
    "StreamSource",
    "TensorSource",
    "assemble",
    "augment_batch",
    "cache_bytes",
    "cifar10",
    "controls",
    "digits",
    "fake",
    "fashion_mnist",
    "image_folder",
    "load",
    "num_training_images",
    "prepare",
    "prepare_all",
    "prepare_test",
    "read_image",
    "split",
    "unmapped",
]
