"""The stages of the pipeline: the steps of each, what they depend on and what they publish.

Stages know files and settings, and call `text`, `training`, `report` and `predict` to do the work. They do not know
whether the command line or a Prefect flow runs them: both execute the same steps and rely on the same manifests.
"""
