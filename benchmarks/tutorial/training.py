"""The tutorial's own training loop, for comparison: its network, its padding, in fp32, as it is written there.

Every review is padded on the left, or cut, to 200 ids; all of them lie in one tensor; the hidden state goes from one
batch into the next; the loss is read at every step.
"""

import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sentiment_pipeline.data.packed import PackedReviews

LENGTH, BATCH, EMBEDDING, HIDDEN, LAYERS = 200, 400, 400, 512, 2


class SentimentNet(nn.Module):
    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, LAYERS, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(HIDDEN, 1)

    def forward(self, ids: Tensor, hidden: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs, hidden = self.lstm(self.embedding(ids), hidden)
        outputs = self.dropout(outputs.contiguous().view(-1, HIDDEN))
        return self.fc(outputs).sigmoid().view(len(ids), -1)[:, -1], hidden


def padded(reviews: PackedReviews, count: int) -> Tensor:
    """The first reviews as the tutorial prepares them, int64, [count, 200]."""
    ids = np.zeros((count, LENGTH), np.int64)
    for row in range(count):
        review = reviews.ids[reviews.offsets[row] : reviews.offsets[row + 1]]
        if len(review):
            ids[row, -len(review) :] = review[:LENGTH]
    return torch.from_numpy(ids)


def steps(reviews: PackedReviews, words: int, device: torch.device) -> Iterator[float]:
    """Train on whole batches of `reviews`, again and again; yields the seconds of each step."""
    count = min(len(reviews), 100 * BATCH) // BATCH * BATCH
    data = TensorDataset(padded(reviews, count), torch.from_numpy(reviews.labels[:count].copy()))
    model = SentimentNet(words).to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    criterion = nn.BCELoss()
    hidden: tuple[Tensor, ...] = tuple(torch.zeros(LAYERS, BATCH, HIDDEN, device=device) for _ in range(2))
    while True:
        started = time.perf_counter()
        for ids, labels in DataLoader(data, shuffle=True, batch_size=BATCH):
            ids, labels = ids.to(device), labels.to(device)
            hidden = tuple(each.data for each in hidden)
            model.zero_grad()
            output, hidden = model(ids, hidden)
            loss = criterion(output.squeeze(), labels.float())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5)
            optimizer.step()
            loss.item()
            yield time.perf_counter() - started
            started = time.perf_counter()
