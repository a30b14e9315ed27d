"""PLACEHOLDER, to be completed by the lead against bertkit's public API: bertkit's measured run.

The contract (see measure.py; kerashub.py is the nearest model): parse `measure.arguments(...)`,
train with bertkit's default recipe under a `measure.Clock` that starts when the first
`measure.WARM_UP_STEPS` optimizer steps are done and stops after the last one, predict the dev rows
under a second clock after a warm-up that has met every shape, and end with
`measure.report("bertkit", flags, train=..., predict=..., accuracy=..., versions=...)` where train
and predict are `measure.throughput(clock, examples, real_tokens, computed_tokens)` of the rows that
the clock saw.  Text is tokenised before the clock starts, as in the peers' runs.
"""

raise SystemExit("benchmarks/peers/bertkit_run.py is a placeholder: complete it first")
