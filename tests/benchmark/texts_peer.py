"""fastText's labels of texts, and its speed, in the environment of the peers: no yupana there."""

import json
import sys
import tempfile
import time
from pathlib import Path

import fasttext


def main() -> None:
    """Read texts, labels and what is asked as JSON; write what fastText says as a line of JSON."""
    sent = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        lines = [
            f"__label__{label} {' '.join(text.lower().split())}"
            for text, label in zip(sent["texts"], sent["labels"], strict=True)
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        model = fasttext.train_supervised(
            str(path), epoch=25, lr=0.5, wordNgrams=2, minn=3, maxn=5, dim=16, bucket=1 << 16,
            thread=1, seed=0, verbose=0,
        )  # fmt: skip
    asked = [" ".join(text.lower().split()) for text in sent["asked"]]
    start = time.perf_counter()
    said, _ = model.predict(asked)
    batch = len(asked) / (time.perf_counter() - start)
    each = []
    for one in asked[:300]:
        start = time.perf_counter()
        model.predict([one])
        each.append(1000 * (time.perf_counter() - start))
    each.sort()
    labels = [int(one[0].removeprefix("__label__")) for one in said]
    print(
        json.dumps(
            {
                "said": labels,
                "texts_per_second": batch,
                "p99_ms": each[int(0.99 * (len(each) - 1))],
            }
        )
    )


if __name__ == "__main__":
    main()
