"""The models of the Python library `implicit` on the split that `benches/recommend.rs` has written.

Each with several settings, of which the best on the held-out days themselves are printed: no choice made before could be better.
"""

import sys

import numpy
import scipy.sparse
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender

TOP = 20


def read(path):
    train, test = {}, {}
    with open(path) as lines:
        for line in lines:
            part, user, item, _ = line.split("\t")
            (train if part == "train" else test).setdefault(user, set()).add(item)
    return train, test


def main():
    train, test = read(sys.argv[1])
    users = {user: n for n, user in enumerate(sorted(train))}
    items = {item: n for n, item in enumerate(sorted(set().union(*train.values())))}
    pairs = [(users[user], items[item]) for user, bought in train.items() for item in bought]
    rows, columns = zip(*pairs)
    matrix = scipy.sparse.csr_matrix((numpy.ones(len(pairs), numpy.float32), (rows, columns)), (len(users), len(items)))
    names = sorted(items)
    tested = [user for user in sorted(test) if user in train and test[user] - train[user]]
    numbers = numpy.array([users[user] for user in tested])

    def measure(model):
        model.fit(matrix, show_progress=False)
        found, _ = model.recommend(numbers, matrix[numbers], N=TOP, filter_already_liked_items=True)
        recall = mrr = 0.0
        for user, ids in zip(tested, found):
            new = test[user] - train[user]
            hits = [place for place, n in enumerate(ids) if n >= 0 and names[n] in new]
            recall += len(hits) / len(new)
            mrr += 1 / (hits[0] + 1) if hits else 0
        covered = len(set(found.ravel().tolist()) - {-1}) / len(items)
        return recall / len(tested), mrr / len(tested), covered

    neighbours = [10, 20, 50, 100, 200]
    models = {
        "ItemKNN cosine": [CosineRecommender(K=k, num_threads=2) for k in neighbours],
        "ItemKNN TF-IDF": [TFIDFRecommender(K=k, num_threads=2) for k in neighbours],
        "ItemKNN BM25": [BM25Recommender(K=k, B=b, num_threads=2) for k in neighbours for b in (0.2, 0.8)],
        "ALS": [
            AlternatingLeastSquares(
                factors=factors, regularization=reg, alpha=alpha, iterations=15, random_state=1, num_threads=2
            )
            for factors in (32, 64, 128, 192)
            for reg in (1, 10, 20)
            for alpha in (1, 5)
        ],
    }
    print(f"implicit, {len(tested)} shoppers, the best settings on the last days themselves:")
    for name, settings in models.items():
        results = [measure(model) for model in settings]
        best = [max(values) for values in zip(*results)]
        print(f"  {name:<15} Recall@20 {best[0]:.4f}  MRR@20 {best[1]:.4f}  coverage {best[2]:.3f}", flush=True)


main()
