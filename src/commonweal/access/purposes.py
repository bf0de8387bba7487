"""For what data are used: http://terminology.hl7.org/CodeSystem/v3-ActReason, below PurposeOfUse."""

_BELOW: dict[str, str] = {
    "HMARKT": "",
    "HOPERAT": "CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP HSYSADMIN "
    "MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN",
    "HSYSADMIN": "LABELING METAMGT",
    "SYSDEV": "HTEST",
    "HPAYMT": "CLMATTCH COVAUTH COVERAGE REMITADV",
    "COVERAGE": "ELIGDTRM ELIGVER ENROLLM MILDCRG",
    "HRESCH": "BIORCH CLINTRCH DSRCH POARCH TRANSRCH",
    "CLINTRCH": "CLINTRCHNPC CLINTRCHPC PRECLINTRCH",
    "PATRQT": "FAMRQT PWATRNY SUPNWK",
    "PUBHLTH": "DISASTER THREAT",
    "TREAT": "CLINTRL COC ETREAT POPHLTH",
    "ETREAT": "BTG ERTREAT",
}
SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ROOT = "PurposeOfUse"


def _under(code: str) -> frozenset[str]:
    return frozenset((code,)).union(*map(_under, _BELOW.get(code, "").split()))


PURPOSES = frozenset().union(*map(_under, _BELOW))
"""All of them."""
_UNDER = {code: _under(code) for code in PURPOSES} | {ROOT: PURPOSES}


def under(code: str) -> frozenset[str]:
    """A purpose and every narrower one; nothing for what is none."""
    return _UNDER.get(code, frozenset())
