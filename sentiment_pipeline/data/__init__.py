"""From packed files to batches: memory-mapped reviews, their order in an epoch, and batches gathered from them."""
