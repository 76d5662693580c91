"""From a table to a published model: train, judge, track, register, publish."""

import os

# Read by OpenMP when XGBoost is imported, here and on a cluster's workers. By default its threads wait by spinning:
# beside other busy processes, a fit on two threads was seen to take forty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Read by Arrow when it is imported. Its own pool keeps the memory that it frees, a hundred megabytes of it.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
