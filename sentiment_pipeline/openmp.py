"""How OpenMP's threads wait for each other; must be set before torch is loaded.

An LSTM has many short steps, so its threads wait for each other all the time. By default they spin for long; when
something else needs the cores, training hardly continues. If they sleep at once, waking them takes most of the time.
Spinning for some microseconds and then sleeping is good in both cases. Tokens per second with the preset `quick` on two
cores (torch 2.13, libgomp), alone and beside two other busy processes: 111,000 and next to none by default; 25,000 and
29,000 sleeping at once; 109,000 and 45,000 with these values.
"""

__all__ = ["OPENMP_WAIT"]

OPENMP_WAIT = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "10000"}  # environment variables
