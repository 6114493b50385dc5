"""Reviews to token ids, without Prefect and without torch.

The modules in the order of a review's journey:

1. `source` divides a file into byte ranges that are read independently of each other. `bz2_blocks` decodes a .bz2 file
   from any byte on, and `formats` detects files that are not text.
2. `lines` parses the labels and texts of a range, `cleaning` normalizes the texts, and `reviews` writes both to a
   table. `rejected` collects the lines that are not reviews.
3. `chunks` splits a text into pieces that NLTK tokenizes the same way wherever they stand, mostly words. `tokenizer` is
   NLTK's `word_tokenize`, and `word_shapes` applies it to many distinct chunks at once.
4. `dictionary` numbers the distinct chunks of each shard, merges these dictionaries, and tokenizes each distinct chunk
   of all shards once.
5. `split` decides whether a review trains, validates or tests. `vocabulary` counts the tokens of the reviews that train
   and assigns the ids.
6. `encode` replaces each chunk of a review by the ids of its tokens, and `pack` lays the ids of a split end to end in
   the arrays that training maps into memory.

`encoder` does steps 2 to 6 for a few texts in memory, to predict. `config` holds the settings of all this. `ragged` and
`tables` are what the modules share: arrays of rows of different lengths, and the columns and formats of files.
"""
