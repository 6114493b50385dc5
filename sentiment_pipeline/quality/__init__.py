"""What is in the reviews: duplicates, test reviews among the training reviews, labels that contradict each other.

Two reviews are exact duplicates if they have the same words in the same order, and near duplicates if most sequences of
three words are in both. Case, digits, punctuation and white space do not count.
"""
