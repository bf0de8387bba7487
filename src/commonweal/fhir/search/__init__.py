"""What can be searched for, how it is asked, what a resource yields and what matches: https://hl7.org/fhir/R4/search.html."""
