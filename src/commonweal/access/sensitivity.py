"""Sensitivity labels: what is seen only with the person's own consent."""

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SENSITIVE = frozenset(f"{_ACT}|{code}" for code in ("PSY", "HIV", "SEX", "ETH"))
"""As "system|code"."""
