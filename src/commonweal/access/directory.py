"""Types that are about nobody in care: directories, definitions, catalogues; only permissions bound who reads them."""

DIRECTORY = frozenset((
    "ActivityDefinition", "CapabilityStatement", "ChargeItemDefinition", "CodeSystem", "CompartmentDefinition",
    "ConceptMap", "DeviceDefinition", "Endpoint", "EventDefinition", "Evidence", "EvidenceVariable",
    "ExampleScenario", "GraphDefinition", "HealthcareService", "ImplementationGuide", "InsurancePlan", "Library",
    "Location", "Measure", "Medication", "MedicationKnowledge", "MessageDefinition", "NamingSystem",
    "ObservationDefinition", "OperationDefinition", "Organization", "OrganizationAffiliation", "PlanDefinition",
    "Practitioner", "PractitionerRole", "Questionnaire", "ResearchDefinition", "ResearchElementDefinition",
    "Schedule", "SearchParameter", "Slot", "SpecimenDefinition", "StructureDefinition", "StructureMap",
    "Substance", "TerminologyCapabilities", "TestScript", "ValueSet",
))  # fmt: skip
"""Named one by one, so that a type nobody thought of is held back rather than shown."""
