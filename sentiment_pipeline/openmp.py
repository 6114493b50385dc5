"""How OpenMP's threads wait for each other, which must be set before torch is loaded.

An LSTM's steps are many and short, so its threads wait for each other all the time. Where they spin for long, as by
default, and something else wants the cores, training stands still; where they sleep at once, waking them costs most of
the time. Spinning for some microseconds and then sleeping is right for both. Tokens a second of preset `quick` on two
cores (torch 2.13, libgomp), alone and beside two other busy processes: by default 111,000 and next to nothing; asleep
at once 25,000 and 29,000; as here 109,000 and 45,000.
"""

OPENMP_WAIT = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "10000"}
