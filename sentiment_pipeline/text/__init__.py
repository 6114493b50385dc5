"""Reviews to ids: reading, cleaning, tokenizing, counting and encoding, without Prefect and without torch."""
