"""The pipeline as Prefect flows.

Flows are thin: they run the stages of the library with each step as a task run, and show what happens. What is finished
is decided by the manifests in the data folder, as for the command line.
"""
