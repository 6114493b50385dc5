"""Files of reviews in every format that is read, to labels and texts.

The modules in the order in which a file passes through them:

1. `compression` decompresses from the beginning of a file on, `bz2_blocks` from any byte on.
2. `unsupported` recognizes what is not read, so that it is refused with a remedy; `formats` recognizes what is:
   `lines`, `json_lines`, `delimited` (CSV and TSV), `columnar` (Parquet and Arrow).
3. `rows` are what the tables have in common: which columns hold the reviews, and rows to labels and texts. `labels`
   says which labels are negative and positive. `parsed` is the result: reviews, and what was rejected for which reason.
4. `source` inspects a file once, with all of this; `ranges` reads its ranges.

`config` holds the settings of all this.
"""
