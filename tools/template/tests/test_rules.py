"""The cases of the rules, as the manual prints them."""

from commonweal.services.template_service import rules


def test_may_be_done(row: dict[str, str]) -> None:
    duty = {"owner": {"reference": "Practitioner/one"}} if row["owned"] == "yes" else {}
    duty |= {"output": {"text": "all is well"}} if row["told"] == "yes" else {}
    assert "; ".join(rules.may_be_done(duty).reasons or ("yes",)) == row["answer"]
