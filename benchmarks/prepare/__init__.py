"""How fast data is prepared, compared with the tutorial's recipe, with bare decompression and with other decoders.

A package with a `__main__`, because worker processes import the main module again unless it has that name.
"""
