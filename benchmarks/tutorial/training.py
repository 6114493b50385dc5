"""The tutorial's own training loop, for comparison: its network and its padding, in fp32, as in its code.

Every review is truncated to 200 ids and padded on the left; all of them are in one tensor; the hidden state is carried
from one batch into the next; the loss is read at every step.
"""

import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sentiment_pipeline.data.packed import PackedReviews

__all__ = ["BATCH_SIZE", "SentimentNet", "step_seconds"]

BATCH_SIZE = 400
_LENGTH, _EMBEDDING, _HIDDEN, _LAYERS = 200, 400, 512, 2


class SentimentNet(nn.Module):
    """The tutorial's network."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, _EMBEDDING)
        self.lstm = nn.LSTM(_EMBEDDING, _HIDDEN, _LAYERS, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(_HIDDEN, 1)

    def forward(self, ids: Tensor, hidden: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The probability of each review, [reviews], and the last hidden states, from ids, int64, [reviews, time]."""
        outputs, hidden = self.lstm(self.embedding(ids), hidden)
        outputs = self.dropout(outputs.contiguous().view(-1, _HIDDEN))
        return self.fc(outputs).sigmoid().view(len(ids), -1)[:, -1], hidden


def _padded(reviews: PackedReviews, count: int) -> Tensor:
    """The first reviews as the tutorial prepares them, int64, [count, 200]."""
    ids = np.zeros((count, _LENGTH), np.int64)
    for row in range(count):
        review = reviews.ids[reviews.offsets[row] : reviews.offsets[row + 1]]
        if len(review):
            ids[row, -len(review) :] = review[:_LENGTH]
    return torch.from_numpy(ids)


def step_seconds(reviews: PackedReviews, words: int, device: torch.device) -> Iterator[float]:
    """Train on full batches of the reviews, again and again, and yield the seconds of each step.

    Args:
        reviews: at least one batch of reviews; the first 40,000 are used.
        words: size of the vocabulary.
        device: where to train.
    """
    count = min(len(reviews), 100 * BATCH_SIZE) // BATCH_SIZE * BATCH_SIZE
    data = TensorDataset(_padded(reviews, count), torch.from_numpy(reviews.labels[:count].copy()))
    model = SentimentNet(words).to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    criterion = nn.BCELoss()
    hidden: tuple[Tensor, ...] = tuple(torch.zeros(_LAYERS, BATCH_SIZE, _HIDDEN, device=device) for _ in range(2))
    while True:
        started = time.perf_counter()
        for ids, labels in DataLoader(data, shuffle=True, batch_size=BATCH_SIZE):
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
