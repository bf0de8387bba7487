"""Who is one person, as Patient.link says it."""
