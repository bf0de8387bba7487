"""What those who manage access do: people and their roles, apps and systems, and the matrix of permissions."""
