"""The pipeline as Prefect flows.

Flows are thin: they call the stages of the library, run their steps as task runs, and report. They decide
nothing about what is finished; the manifests in the data folder do, for the flows as for the command line.
"""
