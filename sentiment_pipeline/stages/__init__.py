"""The stages of the pipeline: which steps each has, what they depend on and what they publish.

Stages know files and settings, and call `text`, `training`, `report` and `predict` for the work. They know nothing of
who runs them: the command line and the Prefect flows execute the same steps and trust the same manifests.
"""
