"""From packed files to batches: memory-mapped reviews, their order in an epoch, whole batches in one gather."""
