"""What is true of identity numbers, people, households, places and consents; nothing here touches the world."""
