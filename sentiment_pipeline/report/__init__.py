"""What a finished run shows: pictures, one self-contained page, and the model's card.

Everything here takes plain data (figures, arrays, counts) and returns text; where it comes from and where it is
published is the stages' business.
"""
