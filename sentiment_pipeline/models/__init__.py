"""The model: the function from token ids to a logit, its evaluation, and the folder that it is saved in."""
