"""The pipeline: which steps there are, what each depends on and what it publishes.

Stages know files and settings, and call `prepare/` and `training/` for the work. They know nothing of who runs them:
the command line and the Prefect flows execute the same steps and trust the same manifests.
"""
