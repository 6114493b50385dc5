"""What a Prefect server needs to run the flows: deployments, automations, and `make ui`."""
