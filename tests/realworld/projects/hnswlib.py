"""Find nearest neighbours."""

import hnswlib
import numpy as np

data = np.random.default_rng(1).random((3000, 128), dtype=np.float32)
index = hnswlib.Index(space="l2", dim=128)
index.init_index(max_elements=3000, ef_construction=100, M=16, random_seed=1)
index.add_items(data, num_threads=1)
index.set_ef(200)
labels, distances = index.knn_query(data[:100], k=1, num_threads=1)
assert (labels[:, 0] == np.arange(100)).mean() > 0.95
assert distances.min() >= 0


def loop() -> None:
    index.knn_query(data[:500], k=5, num_threads=1)
