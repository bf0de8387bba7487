"""How a record is read: from resources to labels, lines, values, changes and trends. Nothing here asks the store."""
