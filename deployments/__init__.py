"""What a Prefect server needs to run the flows: deployments and automations; and `make ui`, which starts it all."""
