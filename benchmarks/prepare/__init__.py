"""The prepare half against its rivals: the tutorial's recipe, bare decompression, other decoders, and itself.

A package with a `__main__`, because worker processes import the main module again unless it has that name.
"""
