"""Steps, stages and manifests: what it means that work is done, skipped or redone. Knows no stage and no review.

A step publishes whole files (`files`) and then its manifest (`manifest`); whether it is finished is checked against
the disk each time (`step`). A stage plans steps (`stage`), an executor runs them (`executor`, over `workers`), one run
a folder (`lock`). `status` and `verify` answer questions about a folder.
"""
