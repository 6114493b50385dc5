"""The model: the function from token ids to a logit, how it is scored, and the folder that it is saved in."""
