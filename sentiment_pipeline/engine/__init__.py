"""Steps, stages and manifests: when work counts as done, and what is skipped or redone.

A step publishes complete files (`files`) and then its manifest (`manifest`); whether it is finished is checked against
the disk each time (`step`). A stage plans steps (`stage`), an executor runs them (`executor`, on `workers`), and a
folder takes one run at a time (`lock`). `status` and `verify` report on a folder.

The engine is generic: it knows neither the stages of this pipeline nor reviews.
"""
