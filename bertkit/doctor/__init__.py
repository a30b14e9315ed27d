"""A BERT expert's review of any implementation, as findings with evidence.

    import bertkit.doctor
    findings = bertkit.doctor.examine(model, "config.json", weights=weights)
    bertkit.doctor.assert_healthy(model, "config.json", weights=weights)      # in your own tests
"""

from bertkit.doctor.checks import CHECKS
from bertkit.doctor.examiner import assert_healthy, examine, examine_case
from bertkit.doctor.finding import Finding

__all__ = ["CHECKS", "Finding", "assert_healthy", "examine", "examine_case"]
